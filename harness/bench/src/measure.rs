//! The clock, and what is made of its readings.
//!
//! CPU time of this thread, not wall time: on a shared machine the one says what the work cost, the other what the
//! neighbours did. Medians, because what disturbs a sample only ever makes it longer. Ratios are summed up
//! by geometric mean, the only mean of ratios that does not depend on which engine is the unit
//! (Fleming and Wallace, "How not to lie with statistics", CACM 1986).

use std::time::Duration;

/// CPU time of the calling thread; wall time where the system has no such clock.
pub struct Clock {
    #[cfg(not(unix))]
    start: std::time::Instant,
}

impl Clock {
    /// Which clock it is, for the record.
    pub const NAME: &'static str = if cfg!(unix) { "thread CPU time" } else { "wall time" };

    /// A clock.
    pub fn start() -> Clock {
        Clock {
            #[cfg(not(unix))]
            start: std::time::Instant::now(),
        }
    }

    /// What the work gives, and how long it took.
    pub fn time<T>(&self, work: impl FnOnce() -> T) -> (T, Duration) {
        let before = self.now();
        let result = work();
        (result, self.now() - before)
    }

    #[cfg(unix)]
    fn now(&self) -> Duration {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the pointer is to a live `timespec`, which is all the call writes to.
        let status = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
        assert_eq!(status, 0, "every supported system counts the CPU time of threads");
        Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
    }

    #[cfg(not(unix))]
    fn now(&self) -> Duration {
        self.start.elapsed()
    }
}

/// The times of one engine, a round each.
#[derive(Clone, Debug, Default)]
pub struct Samples(Vec<Duration>);

impl Samples {
    /// Adds a round's time.
    pub fn push(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// All times in the order of the rounds, in milliseconds.
    pub fn all_ms(&self) -> Vec<f64> {
        self.0.iter().map(|time| time.as_secs_f64() * 1e3).collect()
    }

    /// The median, in milliseconds; of an even number the mean of the two in the middle.
    pub fn median_ms(&self) -> f64 {
        let mut sorted = self.all_ms();
        sorted.sort_by(f64::total_cmp);
        let (low, high) = (sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
        (low + high) / 2.0
    }
}

/// The geometric mean of positive numbers; `None` of none.
pub fn geometric_mean(numbers: &[f64]) -> Option<f64> {
    let logarithms: f64 = numbers.iter().map(|number| number.ln()).sum();
    (!numbers.is_empty()).then(|| (logarithms / numbers.len() as f64).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(times_ms: &[u64]) -> Samples {
        Samples(times_ms.iter().map(|time| Duration::from_millis(*time)).collect())
    }

    #[test]
    fn a_disturbed_round_does_not_move_the_median() {
        assert_eq!(samples(&[5, 900, 4, 6, 5]).median_ms(), 5.0);
        assert_eq!(samples(&[4, 6]).median_ms(), 5.0);
    }

    #[test]
    fn a_ratio_and_its_inverse_cancel_out() {
        assert_eq!(geometric_mean(&[4.0, 0.25]), Some(1.0));
        assert_eq!(geometric_mean(&[]), None);
    }

    #[test]
    fn the_clock_does_not_run_backwards() {
        let clock = Clock::start();
        let (sum, time) = clock.time(|| (0..10_000_u64).map(std::hint::black_box).sum::<u64>());
        assert_eq!(sum, 49_995_000);
        assert!(time < Duration::from_secs(60));
    }
}
