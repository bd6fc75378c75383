//! The minimum of a function of a few variables, by the simplex method of Nelder and Mead.
//!
//! It needs no derivatives and is deterministic. The crates that have it (`argmin`) bring a
//! framework of observers, checkpoints and random numbers for what is one page here. The method may
//! stop short of the minimum when its simplex has become flat, so it is begun anew at what it has
//! found until that is no better.
//!
//! Source: J. C. Lagarias et al., "Convergence properties of the Nelder–Mead simplex method in low
//! dimensions", SIAM J. Optim. 9 (1998), section 2.

/// The first simplex has edges of this length. Variables are logarithms, so this is a factor of
/// 1.6.
const EDGE: f64 = 0.5;
/// The simplex is small enough when its corners differ by less, in each variable…
const TOLERANCE: f64 = 1e-5;
/// … and in the function, relative to it.
const FLAT: f64 = 1e-10;
/// Beginning anew is worth it while it gains more than this, relative to the function.
const GAIN: f64 = 1e-8;
/// So many steps of one simplex, and so many simplexes.
const MAX_STEPS: usize = 2_000;
const MAX_STARTS: usize = 10;

/// Where a function is least and what it is there; none where that was not found in good time. The
/// function may be infinite where it is not defined, but not at the start.
pub(super) fn minimise<const N: usize>(
    start: [f64; N],
    function: impl Fn(&[f64; N]) -> f64,
) -> Option<([f64; N], f64)> {
    let (mut at, mut least) = descend(start, &function)?;
    for _ in 1..MAX_STARTS {
        let (next, value) = descend(at, &function)?;
        let gain = least - value;
        if gain >= 0.0 {
            (at, least) = (next, value);
        }
        if gain <= GAIN * least.abs() {
            return Some((at, least));
        }
    }
    None
}

/// A corner of the simplex and the function there.
type Corner<const N: usize> = ([f64; N], f64);

fn descend<const N: usize>(
    start: [f64; N],
    function: &impl Fn(&[f64; N]) -> f64,
) -> Option<Corner<N>> {
    let corner = |at: [f64; N]| (at, function(&at));
    let mut corners = vec![corner(start)];
    corners.extend((0..N).map(|axis| {
        let mut at = start;
        at[axis] += EDGE;
        corner(at)
    }));
    for _ in 0..MAX_STEPS {
        corners.sort_by(|one, other| one.1.total_cmp(&other.1));
        if !corners[0].1.is_finite() {
            return None;
        }
        if is_small(&corners) {
            return Some(corners[0]);
        }
        let center = center(&corners[..N]);
        let (worst, worst_value) = corners[N];
        let (best_value, second_worst_value) = (corners[0].1, corners[N - 1].1);
        let along = |far: f64| {
            corner(std::array::from_fn(|axis| {
                center[axis] + far * (worst[axis] - center[axis])
            }))
        };
        let reflected = along(-1.0);
        let better = if reflected.1 < best_value {
            let expanded = along(-2.0);
            Some(if expanded.1 < reflected.1 {
                expanded
            } else {
                reflected
            })
        } else if reflected.1 < second_worst_value {
            Some(reflected)
        } else {
            let outside = reflected.1 < worst_value;
            let contracted = along(if outside { -0.5 } else { 0.5 });
            let is_better = if outside {
                contracted.1 <= reflected.1
            } else {
                contracted.1 < worst_value
            };
            is_better.then_some(contracted)
        };
        if let Some(better) = better {
            corners[N] = better;
        } else {
            let (best, _) = corners[0];
            for other in &mut corners[1..] {
                *other = corner(std::array::from_fn(|axis| {
                    f64::midpoint(best[axis], other.0[axis])
                }));
            }
        }
    }
    None
}

/// The middle of some corners.
#[expect(clippy::cast_precision_loss, reason = "a handful of corners")]
fn center<const N: usize>(corners: &[Corner<N>]) -> [f64; N] {
    std::array::from_fn(|axis| {
        corners.iter().map(|corner| corner.0[axis]).sum::<f64>() / corners.len() as f64
    })
}

fn is_small<const N: usize>(corners: &[Corner<N>]) -> bool {
    let (best, least) = corners[0];
    corners[1..].iter().all(|(at, value)| {
        value - least <= FLAT * least.abs()
            && (0..N).all(|axis| (at[axis] - best[axis]).abs() <= TOLERANCE)
    })
}

#[cfg(test)]
mod tests {
    use super::minimise;

    #[test]
    fn the_bottom_of_rosenbrocks_valley_is_found() {
        let valley =
            |at: &[f64; 2]| (1.0 - at[0]).powi(2) + 100.0 * (at[1] - at[0].powi(2)).powi(2) + 1.0;
        let (at, value) = minimise([-1.2, 1.0], valley).expect("found");
        assert!(
            (at[0] - 1.0).abs() < 1e-4 && (at[1] - 1.0).abs() < 1e-4,
            "{at:?}"
        );
        assert!((value - 1.0).abs() < 1e-8);
    }

    #[test]
    fn a_function_without_a_minimum_has_none() {
        assert_eq!(minimise([0.0, 0.0], |at| at[0] + at[1]), None);
        assert_eq!(minimise([0.0], |_| f64::INFINITY), None);
    }
}
