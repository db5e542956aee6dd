// A driver for the line protocol (PROTOCOL.md) that runs any library with the standard C API of engines (wasm.h):
//
//     cc -o line_driver harness/examples/line_driver.c -ldl
//     crosscheck fuzz --cases 1000 --min-judged 70 --with 'wasmtime=pipe:./line_driver /path/to/libwasmtime.so'
//
// The library is loaded when the driver runs, and what is used of it is declared here, so that no header is needed.

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096

typedef void *Object;
// WAMR's vectors have the last three fields, which other engines do not touch.
typedef struct { size_t size; void *data; size_t items, item_bytes; void *lock; } Vector;
typedef struct { uint8_t kind; union { uint32_t bits32; uint64_t bits64; Object reference; } of; } Value;
// References to host values (kind 128) are left out: engines that were tried end the process when one crosses.
enum { I32, I64, F32, F64, FUNCTION_REFERENCE = 129 };
enum { FUNCTION, GLOBAL, TABLE, MEMORY };
typedef Object Callback(void *env, const Vector *args, Vector *results);

// What is used of the interface: the result, the name after `wasm_` and the parameters.
#define INTERFACE(ROW)                                                                                             \
    ROW(Object, config_new, (void)) ROW(Object, engine_new_with_config, (Object))                                  \
    ROW(Object, store_new, (Object)) ROW(void, store_delete, (Object))                                             \
    ROW(Object, module_new, (Object, const Vector *)) ROW(void, module_delete, (Object))                           \
    ROW(void, module_imports, (Object, Vector *)) ROW(void, module_exports, (Object, Vector *))                    \
    ROW(void, importtype_vec_delete, (Vector *)) ROW(void, exporttype_vec_delete, (Vector *))                      \
    ROW(Object, importtype_type, (Object)) ROW(Vector *, exporttype_name, (Object))                                \
    ROW(Object, externtype_as_functype, (Object)) ROW(Object, functype_params, (Object))                           \
    ROW(Object, functype_results, (Object)) ROW(void, functype_delete, (Object))                                   \
    ROW(uint8_t, valtype_kind, (Object))                                                                           \
    ROW(Object, instance_new, (Object, Object, const Vector *, Object *)) ROW(void, instance_delete, (Object))     \
    ROW(void, instance_exports, (Object, Vector *)) ROW(void, extern_vec_delete, (Vector *))                       \
    ROW(uint8_t, extern_kind, (Object)) ROW(Object, extern_as_func, (Object))                                      \
    ROW(Object, extern_as_global, (Object)) ROW(Object, extern_as_table, (Object))                                 \
    ROW(Object, extern_as_memory, (Object))                                                                        \
    ROW(Object, func_new_with_env, (Object, Object, Callback *, void *, void (*)(void *)))                         \
    ROW(void, func_delete, (Object)) ROW(Object, func_as_extern, (Object)) ROW(Object, func_type, (Object))        \
    ROW(Object, func_call, (Object, const Vector *, Vector *))                                                     \
    ROW(Object, global_type, (Object)) ROW(void, globaltype_delete, (Object))                                      \
    ROW(Object, globaltype_content, (Object)) ROW(void, global_get, (Object, Value *))                             \
    ROW(Object, table_type, (Object)) ROW(void, tabletype_delete, (Object))                                        \
    ROW(Object, tabletype_element, (Object))                                                                       \
    ROW(uint32_t, table_size, (Object)) ROW(Object, table_get, (Object, uint32_t)) ROW(void, ref_delete, (Object)) \
    ROW(uint8_t *, memory_data, (Object)) ROW(size_t, memory_data_size, (Object))                                  \
    ROW(Object, trap_new, (Object, const Vector *)) ROW(void, trap_message, (Object, Vector *))                    \
    ROW(void, trap_delete, (Object)) ROW(void, byte_vec_delete, (Vector *))

#define DECLARE(result, name, params) static result(*name) params;
INTERFACE(DECLARE)

static Object engine, store;

// Something that was made in the store, by its number.
typedef struct { Object object; Vector names, items; } Made;
typedef struct { Made *made; size_t count; } List;
static List modules, instances, hosts;

static void die(const char *what, const char *which) {
    fprintf(stderr, "line_driver: %s %s\n", what, which);
    exit(2);
}

static void load(const char *path) {
    void *library = dlopen(path, RTLD_NOW);
    if (!library) die("cannot load", dlerror());
#define LOAD(result, name, params) \
    if (!(*(void **)&name = dlsym(library, "wasm_" #name))) die("the library has no", "wasm_" #name);
    INTERFACE(LOAD)
    // Wasmtime ends the process when it is to say through this interface what a typed reference or a vector is.
    const char *off[] = {"wasmtime_config_wasm_function_references_set", "wasmtime_config_wasm_gc_set",
                         "wasmtime_config_wasm_relaxed_simd_set", "wasmtime_config_wasm_simd_set"};
    Object config = config_new();
    for (size_t i = 0; i < sizeof off / sizeof *off; i++) {
        void (*set)(Object, _Bool);
        if ((*(void **)&set = dlsym(library, off[i]))) set(config, 0);
    }
    engine = engine_new_with_config(config);
    store = store_new(engine);
}

// Zeroed memory, which the caller frees.
static void *room(size_t count, size_t bytes) {
    void *memory = calloc(count + 1, bytes);
    if (!memory) die("out of", "memory");
    return memory;
}

static Vector over(void *data, size_t count, size_t bytes) { return (Vector){count, data, count, bytes, NULL}; }

static Object item(const Vector *vector, size_t index) { return ((Object *)vector->data)[index]; }

static Made *at(List *list, size_t number) {
    if (number >= list->count) {
        list->made = realloc(list->made, (number + 1) * sizeof *list->made);
        if (!list->made) die("out of", "memory");
        memset(list->made + list->count, 0, (number + 1 - list->count) * sizeof *list->made);
        list->count = number + 1;
    }
    return list->made + number;
}

static void reset(void) {
    for (size_t i = 0; i < instances.count; i++) {
        Made *instance = instances.made + i;
        if (!instance->object) continue;
        extern_vec_delete(&instance->items);
        exporttype_vec_delete(&instance->names);
        instance_delete(instance->object);
    }
    for (size_t i = 0; i < hosts.count; i++) func_delete(hosts.made[i].object);
    for (size_t i = 0; i < modules.count; i++)
        if (modules.made[i].object) module_delete(modules.made[i].object);
    instances.count = hosts.count = modules.count = 0;
    store_delete(store);
    store = store_new(engine);
}

// Lines and their words.

// The first word of the next line; the others are `word`.
static char *hear(void) {
    static char *line;
    static size_t size;
    if (getline(&line, &size, stdin) < 0) exit(0);
    char *first = strtok(line, " \n");
    return first ? first : (die("an empty", "line"), NULL);
}

static char *word(void) {
    char *found = strtok(NULL, " \n");
    return found ? found : (die("a line that is too", "short"), NULL);
}

static uint64_t number(void) { return strtoull(word(), NULL, 10); }

static int digit(char of) { return of <= '9' ? of - '0' : of - 'a' + 10; }

// Bytes of hexadecimal digits, in the place of the digits.
static Vector raw(char *digits) {
    size_t count = *digits == '-' ? 0 : strlen(digits) / 2;
    for (size_t i = 0; i < count; i++) digits[i] = (char)(digit(digits[2 * i]) << 4 | digit(digits[2 * i + 1]));
    return over(digits, count, 1);
}

static void say(const char *line) {
    puts(line);
    fflush(stdout);
}

static void say_bytes(const uint8_t *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        putchar("0123456789abcdef"[bytes[i] >> 4]);
        putchar("0123456789abcdef"[bytes[i] & 15]);
    }
}

// Says a trap, which is deleted; or, if there is none, that the library refuses something.
static void say_trap(Object trap) {
    if (!trap) {
        say("refused the library does not say why");
        return;
    }
    Vector message;
    trap_message(trap, &message);
    char *text = room(message.size, 1);
    memcpy(text, message.data, message.size);
    for (char *c = text; *c; c++) if (*c == '\n' || *c == '\r') *c = ' ';
    printf("trap ");
    say(text);
    free(text);
    byte_vec_delete(&message);
    trap_delete(trap);
}

// Values.

static void say_value(const Value *value) {
    switch (value->kind) {
        case I32: printf(" i32:%x", value->of.bits32); break;
        case I64: printf(" i64:%llx", (unsigned long long)value->of.bits64); break;
        case F32: printf(" f32:%x", value->of.bits32); break;
        case F64: printf(" f64:%llx", (unsigned long long)value->of.bits64); break;
        default: printf(value->of.reference ? " func:some" : " func:null");
    }
}

static void say_values(const char *verb, const Vector *values) {
    printf("%s", verb);
    for (size_t i = 0; i < values->size; i++) say_value((Value *)values->data + i);
    say("");
}

// Reads the values of the rest of a line into that much room; 0 if one cannot be passed.
static int read_values(Value *values, size_t count) {
    static const struct { const char *type; uint8_t kind; } types[] = {
        {"i32:", I32}, {"i64:", I64}, {"f32:", F32}, {"f64:", F64},
        {"func:null", FUNCTION_REFERENCE}};
    for (size_t i = 0; i < count; i++) {
        const char *said = word();
        size_t type = 0, length = 0;
        for (; type < 5; type++)
            if (!strncmp(said, types[type].type, length = strlen(types[type].type))) break;
        if (type == 5) return 0;
        values[i] = (Value){types[type].kind, {.bits64 = strtoull(said + length, NULL, 16)}};
    }
    return 1;
}

static void delete_references(const Value *values, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (values[i].kind == FUNCTION_REFERENCE && values[i].of.reference) ref_delete(values[i].of.reference);
}

static int is_known(uint8_t kind) { return kind <= F64 || kind == FUNCTION_REFERENCE; }

// The number of parameters and results, and whether the interface has all of their types.
static int signature(Object type, size_t *params, size_t *results) {
    Vector *types[] = {functype_params(type), functype_results(type)};
    int known = 1;
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < types[side]->size; i++) known &= is_known(valtype_kind(item(types[side], i)));
    *params = types[0]->size, *results = types[1]->size;
    return known;
}

// What the protocol says.

static void obey(char *verb);

// A host function, whose number is its environment: says that it is called and obeys until its results are said.
static Object call_host(void *env, const Vector *args, Vector *results) {
    printf("host %zu", (size_t)env);
    say_values("", args);
    for (;;) {
        char *verb = hear();
        if (!strcmp(verb, "trap")) break;
        if (strcmp(verb, "values")) obey(verb);
        else if (read_values(results->data, results->size)) return NULL;
        else die("a host function cannot give such", "values");
    }
    Vector message = over("host", sizeof "host", 1);
    return trap_new(store, &message);
}

static void make_module(void) {
    Made *module = at(&modules, number());
    Vector wasm = raw(word());
    module->object = module_new(store, &wasm);
    say(module->object ? "ok" : "refused the library does not say why");
}

// What an instance exports by a name in hexadecimal digits; null if there is nothing.
static Object export_of(size_t number, char *digits) {
    Made *instance = at(&instances, number);
    Vector name = raw(digits);
    for (size_t i = 0; instance->object && i < instance->names.size; i++) {
        Vector *other = exporttype_name(item(&instance->names, i));
        if (other->size == name.size && !memcmp(other->data, name.data, name.size)) return item(&instance->items, i);
    }
    return NULL;
}

// The import that the next word names, for a module's import of that type; null if the interface does not have it.
static Object import_of(Object import_type) {
    char *source = word(), *name = strchr(source, ':');
    if (!name) die("no import:", source);
    name++;
    if (strncmp(source, "host:", 5)) return export_of(strtoull(source, NULL, 10), name);
    size_t params, results, host = strtoull(name, NULL, 10);
    Object type = externtype_as_functype(importtype_type(import_type));
    if (!type || !signature(type, &params, &results)) return NULL;
    Object func = func_new_with_env(store, type, call_host, (void *)host, NULL);
    at(&hosts, hosts.count)->object = func;
    return func_as_extern(func);
}

static void make_instance(void) {
    size_t made = number();
    Object module = at(&modules, number())->object, trap = NULL;
    Vector types;
    module_imports(module, &types);
    Object *imports = room(types.size, sizeof *imports);
    size_t count = 0;
    while (count < types.size && (imports[count] = import_of(item(&types, count)))) count++;
    Vector given = over(imports, count, sizeof *imports);
    if (count < types.size) {
        say("unsupported an import that the interface does not have");
    } else {
        Object instance = instance_new(store, module, &given, &trap);
        if (!instance || trap) {
            say_trap(trap);
        } else {
            Made *room = at(&instances, made);
            room->object = instance;
            instance_exports(instance, &room->items);
            module_exports(module, &room->names);
            say("ok");
        }
    }
    importtype_vec_delete(&types);
    free(imports);
}

static void call(Object function) {
    size_t param_count, result_count;
    Object type = func_type(function);
    int known = signature(type, &param_count, &result_count);
    functype_delete(type);
    Value *params = room(param_count, sizeof *params), *results = room(result_count, sizeof *results);
    if (!known || !read_values(params, param_count)) {
        say("unsupported a type that the interface does not have");
    } else {
        Vector args = over(params, param_count, sizeof *params), given = over(results, result_count, sizeof *results);
        Object trap = func_call(function, &args, &given);
        if (trap) {
            say_trap(trap);
        } else {
            say_values("values", &given);
            delete_references(results, result_count);
        }
    }
    free(params);
    free(results);
}

static void show_global(Object global) {
    Object type = global_type(global);
    int known = is_known(valtype_kind(globaltype_content(type)));
    globaltype_delete(type);
    if (!known) {
        say("unsupported a type that the interface does not have");
        return;
    }
    Value value;
    global_get(global, &value);
    Vector one = over(&value, 1, sizeof value);
    say_values("values", &one);
    delete_references(&value, 1);
}

static void show_table(Object table) {
    Object type = table_type(table);
    int known = is_known(valtype_kind(tabletype_element(type)));
    tabletype_delete(type);
    if (!known) {
        say("unsupported a type that the interface does not have");
        return;
    }
    uint32_t size = table_size(table);
    printf("table %u", size);
    for (uint32_t index = 0; index < size; index++) {
        Object element = table_get(table, index);
        if (!element) continue;
        printf(" %u", index);
        ref_delete(element);
    }
    say("");
}

static void show_memory(const uint8_t *data, size_t size) {
    static const uint8_t zeros[PAGE];
    printf("memory %zu", size);
    for (size_t offset = 0; offset < size; offset += PAGE) {
        size_t count = size - offset < PAGE ? size - offset : PAGE;
        if (!memcmp(data + offset, zeros, count)) continue;
        printf(" %zu:", offset);
        say_bytes(data + offset, count);
    }
    say("");
}

static void read_memory(const uint8_t *data, size_t size) {
    uint64_t address = number(), count = number();
    if (address > size || count > size - address) {
        say("refused beyond the end");
        return;
    }
    printf(count ? "bytes " : "bytes -");
    say_bytes(data + address, count);
    say("");
}

static void write_memory(uint8_t *data, size_t size) {
    uint64_t address = number();
    Vector bytes = raw(word());
    if (address > size || bytes.size > size - address) {
        say("refused beyond the end");
        return;
    }
    memcpy(data + address, bytes.data, bytes.size);
    say("ok");
}

// Does what a line says about an export of an instance.
static void obey_about_export(const char *verb) {
    size_t instance = number();
    Object found = export_of(instance, word());
    int kind = found ? extern_kind(found) : -1;
    if (!strcmp(verb, "call") && kind == FUNCTION) {
        call(extern_as_func(found));
    } else if (!strcmp(verb, "global") && kind == GLOBAL) {
        show_global(extern_as_global(found));
    } else if (!strcmp(verb, "table") && kind == TABLE) {
        show_table(extern_as_table(found));
    } else if (kind == MEMORY) {
        Object memory = extern_as_memory(found);
        uint8_t *data = memory_data(memory);
        size_t size = memory_data_size(memory);
        if (!strcmp(verb, "memory")) show_memory(data, size);
        else if (!strcmp(verb, "size")) printf("size %zu", size), say("");
        else if (!strcmp(verb, "read")) read_memory(data, size);
        else if (!strcmp(verb, "write")) write_memory(data, size);
        else die("not understood:", verb);
    } else {
        say("unsupported an export that the interface does not show");
    }
}

static void obey(char *verb) {
    if (!strcmp(verb, "module")) make_module();
    else if (!strcmp(verb, "instance")) make_instance();
    else obey_about_export(verb);
}

int main(int argc, char **argv) {
    if (argc != 2) die("usage:", "line_driver LIBRARY");
    load(argv[1]);
    for (;;) {
        char *verb = hear();
        if (!strcmp(verb, "crosscheck")) {
            if (strcmp(word(), "1")) die("expected", "crosscheck 1");
            const char *slash = strrchr(argv[1], '/');
            printf("crosscheck 1 %s in C", slash ? slash + 1 : argv[1]);
            say("");
        } else if (!strcmp(verb, "reset")) {
            reset();
            say("ok");
        } else {
            obey(verb);
        }
    }
}
