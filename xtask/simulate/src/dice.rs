//! Chance, from a seed: the same seed gives the same day. Every part of the model throws dice of its own, so that one rule
//! switched off does not change who comes when.

use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};

#[derive(Debug, Clone)]
pub struct Dice(Xoshiro256PlusPlus);

impl Dice {
    pub fn new(seed: u64, of: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(mix(seed ^ mix(of))))
    }

    /// From 0 up to 1.
    pub fn unit(&mut self) -> f64 {
        self.0.random()
    }

    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    pub fn below(&mut self, end: usize) -> usize {
        self.0.random_range(0..end)
    }

    pub fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }

    /// By inversion; `scale` is the 63rd percentile.
    pub fn weibull(&mut self, shape: f64, scale: f64) -> f64 {
        scale * (-(1.0 - self.unit()).ln()).powf(1.0 / shape)
    }

    /// By the method of Box and Muller.
    pub fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        median * (sigma * radius * (std::f64::consts::TAU * self.unit()).cos()).exp()
    }

    /// One of these, each as likely as its number says.
    pub fn pick<T: Copy>(&mut self, of: &[(T, f64)]) -> T {
        let mut left = self.unit() * of.iter().map(|(_, weight)| weight).sum::<f64>();
        for (item, weight) in of {
            left -= weight;
            if left < 0.0 {
                return *item;
            }
        }
        of[of.len() - 1].0
    }
}

/// Spreads the bits of a number over all of it (the finaliser of SplitMix64: Steele, Lea and Flood, OOPSLA 2014).
pub fn mix(n: u64) -> u64 {
    let n = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(mut draw: impl FnMut(&mut Dice) -> f64) -> f64 {
        let mut dice = Dice::new(7, 7);
        (0..200_000).map(|_| draw(&mut dice)).sum::<f64>() / 200_000.0
    }

    #[test]
    fn means_are_as_wanted() {
        assert!((mean(|dice| dice.exponential(25.0)) - 25.0).abs() < 0.3);
        // The mean of a Weibull is scale × Γ(1 + 1/shape); Γ(3) = 2.
        assert!((mean(|dice| dice.weibull(0.5, 10.0)) - 20.0).abs() < 0.5);
        // That of a log-normal is median × exp(σ²/2).
        assert!((mean(|dice| dice.log_normal(10.0, 0.5)) - 11.33).abs() < 0.1);
        assert!((mean(|dice| dice.pick(&[(1.0, 3.0), (5.0, 1.0)])) - 2.0).abs() < 0.03);
    }
}
