//! The programs: small, each dominated by one thing that engines do, each with a result that is known.
//!
//! They export `run`, from a size to a checksum, and set up their memory themselves, so that every call
//! does the same. Arguments are chosen so that wasmi takes about a tenth of a second. What comes out is known from
//! elsewhere: published (the digest, the count of primes, the Fibonacci number), or computed by a transcription of
//! the kernel to another language.

/// A program and one call of it.
pub struct Kernel {
    /// What people filter by.
    pub name: &'static str,
    /// What most of its time goes to, in a few words.
    pub about: &'static str,
    /// The module, as text.
    text: &'static str,
    /// The size it runs with.
    pub argument: i32,
    /// The checksum that comes out.
    pub expected: u64,
}

/// All programs.
pub const KERNELS: &[Kernel] = &[
    Kernel {
        name: "fib",
        about: "recursive calls",
        text: include_str!("../kernels/fib.wat"),
        argument: 31,
        expected: 1_346_269,
    },
    Kernel {
        name: "sieve",
        about: "byte stores with a stride",
        text: include_str!("../kernels/sieve.wat"),
        argument: 4_000_000,
        expected: 283_146,
    },
    Kernel {
        name: "matrix",
        about: "f64 products from memory",
        text: include_str!("../kernels/matrix.wat"),
        argument: 200,
        expected: 0x4215_73cb_0c40_0000,
    },
    Kernel {
        name: "bodies",
        about: "f64 with roots and divisions",
        text: include_str!("../kernels/bodies.wat"),
        argument: 60_000,
        expected: 0x408a_3056_7cb8_3170,
    },
    Kernel {
        name: "sha256",
        about: "i32 rotations, many locals",
        text: include_str!("../kernels/sha256.wat"),
        argument: 1_000_000,
        expected: 0xcdc7_6e5c_9914_fb92,
    },
    Kernel {
        name: "quicksort",
        about: "data-dependent branches",
        text: include_str!("../kernels/quicksort.wat"),
        argument: 200_000,
        expected: 0x1717_3f68_0492_58e8,
    },
    Kernel {
        name: "switch",
        about: "a loop around a br_table",
        text: include_str!("../kernels/switch.wat"),
        argument: 200_000,
        expected: 0x0009_7956_5f74_4680,
    },
    Kernel {
        name: "indirect",
        about: "calls through a table",
        text: include_str!("../kernels/indirect.wat"),
        argument: 4_000_000,
        expected: 0x8ad7_c2e1_a8f3_1a8f,
    },
    Kernel {
        name: "mix",
        about: "i64 arithmetic in locals",
        text: include_str!("../kernels/mix.wat"),
        argument: 4_000_000,
        expected: 0x6752_087b_fe8c_a01d,
    },
    Kernel {
        name: "bytes",
        about: "text, a byte at a time",
        text: include_str!("../kernels/bytes.wat"),
        argument: 100,
        expected: 0x0011_a309_6a71_be68,
    },
    Kernel {
        name: "mandelbrot",
        about: "f32 in locals",
        text: include_str!("../kernels/mandelbrot.wat"),
        argument: 500,
        expected: 0x0090_d35d,
    },
];

impl Kernel {
    /// The module in binary. Fails if the text is no module, with what is wrong.
    pub fn wasm(&self) -> Result<Vec<u8>, String> {
        encode(self.text).map_err(|error| format!("{}: {}", self.name, error.message()))
    }
}

fn encode(text: &str) -> Result<Vec<u8>, wast::Error> {
    let buffer = wast::parser::ParseBuffer::new(text)?;
    wast::parser::parse::<wast::Wat<'_>>(&buffer)?.encode()
}
