//! A model file: what it says about itself, what it needs, and loading it.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use conclave_core::local::{FailKind, ModelFile};
use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::model::params::LlamaModelParams;
use sha2::{Digest as _, Sha256};

/// What every GGUF file begins with.
const MAGIC: &[u8; 4] = b"GGUF";

/// How the weights are rounded, by `general.file_type`: the numbers of `llama_ftype` in llama.cpp's `llama.h`.
const QUANTISATIONS: &[(u32, &str)] = &[
    (0, "F32"),
    (1, "F16"),
    (2, "Q4_0"),
    (3, "Q4_1"),
    (7, "Q8_0"),
    (8, "Q5_0"),
    (9, "Q5_1"),
    (10, "Q2_K"),
    (11, "Q3_K_S"),
    (12, "Q3_K_M"),
    (13, "Q3_K_L"),
    (14, "Q4_K_S"),
    (15, "Q4_K_M"),
    (16, "Q5_K_S"),
    (17, "Q5_K_M"),
    (18, "Q6_K"),
    (19, "IQ2_XXS"),
    (20, "IQ2_XS"),
    (21, "Q2_K_S"),
    (22, "IQ3_XS"),
    (23, "IQ3_XXS"),
    (24, "IQ1_S"),
    (25, "IQ4_NL"),
    (26, "IQ3_S"),
    (27, "IQ3_M"),
    (28, "IQ2_S"),
    (29, "IQ2_M"),
    (30, "IQ4_XS"),
    (31, "IQ1_M"),
    (32, "BF16"),
    (36, "TQ1_0"),
    (37, "TQ2_0"),
    (38, "MXFP4"),
    (39, "NVFP4"),
    (40, "Q1_0"),
    (41, "Q2_0"),
];

/// The context where nothing else is said, in tokens.
const CONTEXT: u32 = 8192;
/// llama.cpp rounds up to this.
const SHORTEST_CONTEXT: u32 = 256;

/// Why something is not done.
pub type Refused = (FailKind, String);

/// Looks at a model file without its weights.
pub fn inspect(backend: &LlamaBackend, path: &str, context: Option<u32>) -> Result<ModelFile, Refused> {
    let model = open(backend, path, &LlamaModelParams::default().with_vocab_only(true))?;
    Ok(describe(&model, context))
}

/// Loads a model file that can be asked.
pub fn load(backend: &LlamaBackend, path: &str, context: Option<u32>) -> Result<(LlamaModel, ModelFile), Refused> {
    let file = inspect(backend, path, context)?;
    if !file.chat_template {
        let why =
            format!("`{path}` has no chat template: it goes on writing, but cannot be asked; use an instruct model");
        return Err((FailKind::NoChatTemplate, why));
    }
    let free = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| available(&text));
    if let Some(free) = free.filter(|free| *free < file.memory_bytes) {
        let why = format!(
            "`{path}` needs about {} MiB of memory and {} are free; use a smaller model or a shorter context",
            file.memory_bytes >> 20,
            free >> 20
        );
        return Err((FailKind::NoMemory, why));
    }
    Ok((open(backend, path, &LlamaModelParams::default())?, file))
}

fn open(backend: &LlamaBackend, path: &str, params: &LlamaModelParams) -> Result<LlamaModel, Refused> {
    let mut magic = Vec::new();
    let read = File::open(path).and_then(|file| file.take(4).read_to_end(&mut magic));
    read.map_err(|error| (FailKind::NoFile, format!("`{path}` cannot be read: {error}")))?;
    if magic != MAGIC {
        return Err((FailKind::NotAModel, format!("`{path}` is not a GGUF file")));
    }
    LlamaModel::load_from_file(backend, path, params)
        .map_err(|_| (FailKind::NotAModel, format!("`{path}` is damaged, or of a kind that is not known here")))
}

fn describe(model: &LlamaModel, context: Option<u32>) -> ModelFile {
    let text = |key: &str| model.meta_val_str(key).ok().filter(|value| !value.is_empty());
    let architecture = text("general.architecture").unwrap_or_default();
    let number = |key: &str| text(&format!("{architecture}.{key}")).and_then(|value| value.parse::<u64>().ok());
    let quantisation = text("general.file_type").and_then(|value| value.parse().ok()).and_then(quantisation);
    let size_bytes = model.size();
    let trained_context = number("context_length").and_then(|value| value.try_into().ok()).unwrap_or(0);
    let context = choose_context(context, trained_context);
    ModelFile {
        name: text("general.name"),
        parameters: model.n_params(),
        quantisation: quantisation.unwrap_or("unknown").to_owned(),
        licence: text("general.license"),
        trained_context,
        chat_template: model.chat_template(None).is_ok(),
        size_bytes,
        context,
        memory_bytes: memory(size_bytes, u64::from(context) * bytes_per_token(number)),
        architecture,
    }
}

/// As wished, else as trained up to [`CONTEXT`], and never more than trained.
fn choose_context(wished: Option<u32>, trained: u32) -> u32 {
    let most = if trained == 0 { u32::MAX } else { trained };
    wished.unwrap_or(CONTEXT).min(most).max(SHORTEST_CONTEXT)
}

fn quantisation(number: u32) -> Option<&'static str> {
    QUANTISATIONS.iter().find(|(known, _)| *known == number).map(|(_, name)| *name)
}

/// Bytes of context that a token takes: a key and a value of 16-bit numbers per layer and head.
fn bytes_per_token(number: impl Fn(&str) -> Option<u64>) -> u64 {
    let layers = number("block_count").unwrap_or(0);
    let heads = number("attention.head_count").unwrap_or(1).max(1);
    let shared_heads = number("attention.head_count_kv").unwrap_or(heads);
    let even = number("embedding_length").unwrap_or(0) / heads;
    let width = number("attention.key_length").unwrap_or(even) + number("attention.value_length").unwrap_or(even);
    layers * shared_heads * width * 2
}

/// What a model takes: its weights, the half of them again that is laid out anew for the processor, its context, and
/// room to calculate in. Measured with two models; an estimate for others.
fn memory(weights: u64, context: u64) -> u64 {
    const CALCULATION: u64 = 256 << 20;
    weights + weights * 6 / 10 + context + CALCULATION
}

/// Memory that can be had without taking it from anybody, by what Linux tells, in bytes.
fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib << 10)
}

/// SHA-256 of a file, in hexadecimal.
pub fn digest(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&hash.finalize())),
            count => hash.update(&buffer[..count]),
        }
    }
}

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_takes_what_the_model_s_numbers_say() {
        let qwen = [
            ("block_count", 28),
            ("attention.head_count", 12),
            ("attention.head_count_kv", 2),
            ("embedding_length", 1536),
        ];
        let of = |numbers: &'static [(&str, u64)]| {
            bytes_per_token(|key| numbers.iter().find(|(name, _)| *name == key).map(|(_, value)| *value))
        };
        assert_eq!(
            bytes_per_token(|key| qwen.iter().find(|(name, _)| *name == key).map(|(_, value)| *value)),
            28 << 10
        );
        assert_eq!(of(&[("block_count", 2), ("attention.head_count", 4), ("embedding_length", 64)]), 2 * 4 * 32 * 2);
        assert_eq!(of(&[("block_count", 1), ("attention.key_length", 8), ("attention.value_length", 4)]), 24);
        assert_eq!(of(&[]), 0);
    }

    #[test]
    fn the_context_is_what_was_wished_within_what_was_trained() {
        for (wished, trained, expect) in [
            (None, 32768, 8192),
            (None, 2048, 2048),
            (Some(4096), 32768, 4096),
            (Some(65536), 32768, 32768),
            (Some(1), 32768, 256),
            (None, 0, 8192),
        ] {
            assert_eq!(choose_context(wished, trained), expect, "{wished:?} of {trained}");
        }
    }

    #[test]
    fn free_memory_is_read_as_linux_writes_it() {
        let cases = [
            ("MemTotal:  1 kB\nMemAvailable:   16384 kB\n", Some(16 << 20)),
            ("MemTotal: 1 kB\n", None),
            ("MemAvailable: many kB\n", None),
        ];
        for (text, expect) in cases {
            assert_eq!(available(text), expect, "{text}");
        }
    }

    #[test]
    fn roundings_have_the_names_that_their_files_have() {
        for (number, expect) in [(15, Some("Q4_K_M")), (3, Some("Q4_1")), (0, Some("F32")), (4, None), (1024, None)] {
            assert_eq!(quantisation(number), expect, "{number}");
        }
    }
}
