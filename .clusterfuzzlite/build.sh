#!/bin/bash -eu
# Builds every fuzz target, and hands it over with seeds and options.
cd "$SRC/crosscheck"
export CARGO_PROFILE_RELEASE_LTO=off
cargo fuzz build -O --debug-assertions --fuzz-dir fuzz_targets

for main in fuzz_targets/*.rs; do
  target=$(basename "$main" .rs)
  # The library and what it does without a fuzzer are no targets.
  case $target in lib | repeat) continue ;; esac
  cp "target/x86_64-unknown-linux-gnu/release/$target" "$OUT/"
  printf '[libfuzzer]\nmax_len = 65536\ntimeout = 20\n' > "$OUT/$target.options"
  case $target in
    wast_text) find corpus -name '*.wast' ;;
    *) find corpus -name '*.wasm' ;;
  esac | zip -qj@ "$OUT/${target}_seed_corpus.zip"
done
