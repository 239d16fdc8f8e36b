//! Plots as SVG.

use std::error::Error;
use std::path::Path;

use plotters::prelude::*;

const COLOURS: [RGBColor; 10] = [
    RGBColor(214, 39, 40),
    RGBColor(255, 152, 150),
    RGBColor(160, 160, 160),
    RGBColor(90, 90, 90),
    RGBColor(31, 119, 180),
    RGBColor(44, 160, 44),
    RGBColor(152, 223, 138),
    RGBColor(148, 103, 189),
    RGBColor(197, 176, 213),
    RGBColor(0, 0, 0),
];

/// Pixels for each row, and for all that is not rows.
const ROW: u32 = 22;
const AROUND: u32 = 120;

/// Plots a row of dots for each label: one dot, in the colour of its series, for each value between 0 and 100.
pub fn dots(path: &Path, title: &str, series: &[String], rows: &[(String, Vec<f64>)]) -> Result<(), Box<dyn Error>> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let height = AROUND + ROW * rows.len() as u32;
    let root = SVGBackend::new(path, (1000, height)).into_drawing_area();
    root.fill(&WHITE)?;
    let last = rows.len() as f64;
    let mut chart = ChartBuilder::on(&root)
        .caption(title, ("sans-serif", 20))
        .margin(10)
        .margin_right(190)
        .x_label_area_size(30)
        .y_label_area_size(230)
        .build_cartesian_2d(0.0..100.0, last - 0.5..-0.5)?;
    let label = |place: &f64| {
        let row = (place.fract() == 0.0).then(|| rows.get(*place as usize)).flatten();
        row.map(|(label, _)| label.clone()).unwrap_or_default()
    };
    chart
        .configure_mesh()
        .disable_y_mesh()
        .y_labels(rows.len() * 2)
        .y_label_formatter(&label)
        .label_style(("sans-serif", 13))
        .light_line_style(RGBColor(240, 240, 240))
        .draw()?;
    for place in 0..rows.len() {
        let at = place as f64;
        chart.draw_series(LineSeries::new([(0.0, at), (100.0, at)], RGBColor(225, 225, 225)))?;
    }
    // The first series is drawn last, above the others.
    for (index, name) in series.iter().enumerate().rev() {
        let colour = COLOURS[index % COLOURS.len()];
        let dot = |(place, (_, values)): (usize, &(String, Vec<f64>))| {
            let size = if index == 0 { 6 } else { 4 };
            Circle::new((values[index], place as f64), size, colour.filled())
        };
        chart
            .draw_series(rows.iter().enumerate().map(dot))?
            .label(name)
            .legend(move |(x, y)| Circle::new((x + 8, y), 5, colour.filled()));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::Coordinate(580, 0))
        .background_style(WHITE)
        .border_style(RGBColor(200, 200, 200))
        .label_font(("sans-serif", 13))
        .draw()?;
    root.present()?;
    Ok(())
}
