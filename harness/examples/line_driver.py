"""A driver for the line protocol (PROTOCOL.md) with wasmtime behind it: `pip install wasmtime`, then

    crosscheck fuzz --cases 1000 --with 'wasmtime=pipe:python3 harness/examples/line_driver.py'
"""
import importlib.metadata
import struct
import sys

import wasmtime as w

PAGE = 4096
CONFIG = w.Config()
# The wheel ends the process when it is to say what type a typed reference is.
CONFIG.wasm_function_references = False
CONFIG.wasm_gc = False
ENGINE = w.Engine(CONFIG)


def hear():
    line = sys.stdin.readline()
    if not line:
        sys.exit(0)
    return line.split()


def say(*words):
    print(*words, flush=True)


def name(digits):
    return "" if digits == "-" else bytes.fromhex(digits).decode()


def raw(digits):
    return b"" if digits == "-" else bytes.fromhex(digits)


def plain(value):
    """What a global or an element is, which the wheel gives in a wrapper if it is a reference."""
    return value.value if isinstance(value, w.Val) else value


def told(value, ty):
    """A value as a word."""
    value, ty = plain(value), str(ty)
    if ty in ("i32", "i64"):
        return f"{ty}:{value % (1 << int(ty[1:])):x}"
    if ty in ("f32", "f64"):
        bits = int.from_bytes(struct.pack("<f" if ty == "f32" else "<d", value), "little")
        # A number of Python has 64 bits, and a signalling NaN of 32 becomes a quiet one on the way there.
        if ty == "f32" and value != value and bits & 0x7FFFFFFF != 0x7FC00000:
            raise NotImplementedError("an f32 NaN that is not canonical")
        return f"{ty}:{bits:x}"
    # The wheel calls external references `anyref`.
    kind = "extern" if ty in ("externref", "anyref") else "func"
    if value is None:
        return f"{kind}:null"
    return "func:some" if kind == "func" else f"extern:{value:x}"


def heard(word):
    """A value of a word."""
    kind, _, bits = word.partition(":")
    if bits == "null":
        return w.Val.externref(None) if kind == "extern" else w.Val.funcref(None)
    bits = int(bits, 16)
    if kind == "i32":
        return w.Val.i32(bits - ((bits >> 31) << 32))
    if kind == "i64":
        return w.Val.i64(bits - ((bits >> 63) << 64))
    if kind == "f32":
        if bits & 0x7FC00000 == 0x7F800000 and bits & 0x7FFFFF:
            raise NotImplementedError("a signalling NaN of 32 bits")
        return w.Val.f32(struct.unpack("<f", bits.to_bytes(4, "little"))[0])
    if kind == "f64":
        return w.Val.f64(struct.unpack("<d", bits.to_bytes(8, "little"))[0])
    if kind == "extern":
        return w.Val.externref(bits)
    raise NotImplementedError(f"a value of {kind}")


class Case:
    """A store and what was made in it."""

    def __init__(self):
        self.store, self.modules, self.instances = w.Store(ENGINE), {}, {}

    def export(self, number, digits):
        return self.instances[number].exports(self.store)[name(digits)]

    def host(self, number, ty):
        results = list(ty.results)

        def called(*args):
            say("host", number, *[told(arg, param) for arg, param in zip(args, ty.params)])
            while True:
                words = hear()
                if words[0] == "trap":
                    raise w.Trap("host")
                if words[0] == "values":
                    values = [heard(word).value for word in words[1:]]
                    return None if not results else values[0] if len(values) == 1 else values
                self.obey(words)

        return w.Func(self.store, ty, called)

    def obey(self, words):
        try:
            say(*self.answer(*words))
        except w.Trap as trap:
            say("trap", trap.message.splitlines()[-1])
        except w.WasmtimeError as error:
            text = str(error)
            trapped = "wasm trap:" in text or "wasm backtrace" in text
            # So the wheel says that it has no values of a type.
            lacking = "valkind" in text
            say("unsupported" if lacking else "trap" if trapped else "refused", text.splitlines()[-1].strip())
        except (NotImplementedError, TypeError) as error:
            say("unsupported", str(error).splitlines()[0] if str(error) else "?")

    def answer(self, verb, number, *rest):
        if verb == "module":
            self.modules[number] = w.Module(ENGINE, raw(rest[0]))
            return ["ok"]
        if verb == "instance":
            module = self.modules[rest[0]]
            imports = []
            for word, wanted in zip(rest[1:], module.imports):
                source, _, what = word.partition(":")
                imports.append(self.host(what, wanted.type) if source == "host" else self.export(source, what))
            self.instances[number] = w.Instance(self.store, module, imports)
            return ["ok"]
        item = self.export(number, rest[0])
        if verb == "call":
            types = list(item.type(self.store).results)
            given = item(self.store, *[heard(word) for word in rest[1:]])
            given = [] if not types else [given] if len(types) == 1 else given
            return ["values", *[told(value, ty) for value, ty in zip(given, types)]]
        if verb == "global":
            return ["values", told(item.value(self.store), item.type(self.store).content)]
        if verb == "table":
            size = item.size(self.store)
            return ["table", size, *[index for index in range(size) if plain(item.get(self.store, index)) is not None]]
        size = item.data_len(self.store)
        if verb == "size":
            return ["size", size]
        if verb == "memory":
            data = bytes(item.read(self.store, 0, size))
            pages = ((at, data[at:at + PAGE]) for at in range(0, size, PAGE))
            return ["memory", size, *[f"{at}:{page.hex()}" for at, page in pages if page.strip(b"\0")]]
        address = int(rest[1])
        length = int(rest[2]) if verb == "read" else len(raw(rest[2]))
        if address + length > size:
            return ["refused", "beyond the end"]
        if verb == "read":
            return ["bytes", bytes(item.read(self.store, address, address + length)).hex() or "-"]
        item.write(self.store, raw(rest[2]), address)
        return ["ok"]


case = Case()
while True:
    line = hear()
    if line == ["crosscheck", "1"]:
        say("crosscheck 1 Wasmtime", importlib.metadata.version("wasmtime"), "in Python")
    elif line == ["reset"]:
        case = Case()
        say("ok")
    else:
        case.obey(line)
