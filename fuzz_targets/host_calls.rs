#![cfg_attr(fuzzing, no_main)]
#![doc = "See the target of this name in `crosscheck::fuzz`."]
crosscheck_fuzz::target!("host_calls");
