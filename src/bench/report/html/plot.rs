//! A plot as inline SVG; its colours come from the style of the page.

use crate::bench::report::junit::escape;

use super::axis::Axis;

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 18.0;
const TOP: f64 = 8.0;
const BOTTOM: f64 = 40.0;

/// What is drawn.
pub(super) struct Plot {
    pub(super) title: String,
    pub(super) caption: String,
    pub(super) x: Axis,
    pub(super) y: Axis,
    /// What the values of the x axis are.
    pub(super) x_name: &'static str,
    pub(super) series: Vec<Series>,
    /// Stretches of the x axis that are not part of the figures, and what they are.
    pub(super) shaded: Vec<(f64, f64, String)>,
}

/// Values that belong together.
pub(super) struct Series {
    pub(super) name: String,
    pub(super) marks: Marks,
}

/// How values are shown.
pub(super) enum Marks {
    /// Points joined by a line.
    Line(Vec<(f64, f64)>),
    /// Side by side.
    Bars(Vec<Bar>),
}

/// From, to, height.
pub(super) type Bar = (f64, f64, f64);

impl Plot {
    /// Appends the SVG.
    pub(super) fn draw(&self, into: &mut String) {
        *into += &format!(
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">\n",
            escape(&self.title)
        );
        self.draw_shades(into);
        self.draw_grid(into);
        for (at, series) in self.series.iter().enumerate() {
            *into += &format!("<g class=\"s{at}\">");
            match &series.marks {
                Marks::Line(points) => self.draw_line(&series.name, points, into),
                Marks::Bars(bars) => self.draw_bars(bars, into),
            }
            *into += "</g>\n";
        }
        *into += "</svg>\n";
    }

    fn x(&self, value: f64) -> f64 {
        LEFT + self.x.place(value) * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - self.y.place(value) * (HEIGHT - TOP - BOTTOM)
    }

    fn draw_shades(&self, into: &mut String) {
        for (from, to, name) in &self.shaded {
            let (left, right) = (self.x(*from), self.x(*to));
            *into += &format!(
                "<rect class=\"phase\" x=\"{left:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{}\">\
                 <title>{}</title></rect>\n",
                right - left,
                HEIGHT - TOP - BOTTOM,
                escape(name)
            );
        }
    }

    fn draw_grid(&self, into: &mut String) {
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        for (value, label) in self.y.marks() {
            let y = self.y(value);
            *into += &format!(
                "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{right}\"/>\
                 <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>\n",
                LEFT - 6.0,
                y + 4.0
            );
        }
        for (value, label) in self.x.marks() {
            let x = self.x(value);
            *into += &format!(
                "<path class=\"grid\" d=\"M{x:.1} {TOP}V{bottom}\"/>\
                 <text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{label}</text>\n",
                bottom + 16.0
            );
        }
        *into += &format!(
            "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
            (LEFT + right) / 2.0,
            HEIGHT - 6.0,
            escape(self.x_name)
        );
    }

    fn draw_line(&self, name: &str, points: &[(f64, f64)], into: &mut String) {
        let path: String = points
            .iter()
            .enumerate()
            .map(|(at, (x, y))| {
                let letter = if at == 0 { 'M' } else { 'L' };
                format!("{letter}{:.1} {:.1}", self.x(*x), self.y(*y))
            })
            .collect();
        *into += &format!(
            "<path class=\"line\" d=\"{path}\"><title>{}</title></path>",
            escape(name)
        );
    }

    fn draw_bars(&self, bars: &[Bar], into: &mut String) {
        for (from, to, height) in bars {
            let (left, right, top) = (self.x(*from), self.x(*to), self.y(*height));
            *into += &format!(
                "<rect class=\"bar\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\">\
                 <title>{} to {}: {height}</title></rect>",
                (right - left - 1.0).max(1.0),
                HEIGHT - BOTTOM - top,
                self.x.label(*from),
                self.x.label(*to)
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::html::axis::{Scale, Unit};

    #[test]
    fn a_line_runs_from_corner_to_corner() {
        let plot = Plot {
            title: String::from("a & b"),
            caption: String::new(),
            x: Axis::over(Scale::Linear, Unit::Seconds, [10.0].into_iter()),
            y: Axis::over(Scale::Linear, Unit::Count, [5.0].into_iter()),
            x_name: "time",
            series: vec![Series {
                name: String::from("s"),
                marks: Marks::Line(vec![(0.0, 0.0), (10.0, 5.0)]),
            }],
            shaded: vec![],
        };
        let mut svg = String::new();
        plot.draw(&mut svg);
        assert!(svg.contains("d=\"M62.0 260.0L542.0 8.0\""), "{svg}");
        assert!(svg.contains("aria-label=\"a &amp; b\""));
    }
}
