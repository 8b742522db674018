//! Small shapes, each tellable from the others without colour.

use super::svg::{At, number};

/// A mark's shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A dot.
    Circle,
    /// A square.
    Square,
    /// A square on its corner.
    Diamond,
    /// Pointing up.
    Up,
    /// Pointing down.
    Down,
    /// An upright cross.
    Plus,
    /// A slanting cross.
    Cross,
}

/// The shapes and dashes of up to six lines, and of what is left over.
pub(crate) const LINES: [(Shape, &str); 7] = [
    (Shape::Circle, ""),
    (Shape::Square, "7 3"),
    (Shape::Diamond, "2 3"),
    (Shape::Up, "9 3 2 3"),
    (Shape::Down, "4 2"),
    (Shape::Plus, "12 4"),
    (Shape::Cross, "1 4"),
];

/// The path of a shape of about `size` across, centred.
pub(crate) fn shape(shape: Shape, (x, y): At, size: f64) -> String {
    let r = size / 2.0;
    let polygon = |points: &[At]| {
        let points: Vec<String> =
            points.iter().map(|(dx, dy)| format!("{} {}", number(x + dx * r), number(y + dy * r))).collect();
        format!("M{}Z", points.join("L"))
    };
    match shape {
        Shape::Circle => {
            let (left, r, d) = (number(x - r), number(r), number(2.0 * r));
            format!("M{left} {y}a{r} {r} 0 1 0 {d} 0a{r} {r} 0 1 0 -{d} 0Z", y = number(y))
        }
        Shape::Square => polygon(&[(-0.88, -0.88), (0.88, -0.88), (0.88, 0.88), (-0.88, 0.88)]),
        Shape::Diamond => polygon(&[(0.0, -1.2), (1.2, 0.0), (0.0, 1.2), (-1.2, 0.0)]),
        Shape::Up => polygon(&[(0.0, -1.1), (1.1, 0.9), (-1.1, 0.9)]),
        Shape::Down => polygon(&[(0.0, 1.1), (1.1, -0.9), (-1.1, -0.9)]),
        Shape::Plus => polygon(&[
            (-0.35, -1.1),
            (0.35, -1.1),
            (0.35, -0.35),
            (1.1, -0.35),
            (1.1, 0.35),
            (0.35, 0.35),
            (0.35, 1.1),
            (-0.35, 1.1),
            (-0.35, 0.35),
            (-1.1, 0.35),
            (-1.1, -0.35),
            (-0.35, -0.35),
        ]),
        Shape::Cross => polygon(&[
            (-1.0, -0.6),
            (-0.6, -1.0),
            (0.0, -0.4),
            (0.6, -1.0),
            (1.0, -0.6),
            (0.4, 0.0),
            (1.0, 0.6),
            (0.6, 1.0),
            (0.0, 0.4),
            (-0.6, 1.0),
            (-1.0, 0.6),
            (-0.4, 0.0),
        ]),
    }
}
