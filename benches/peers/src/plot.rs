//! Plots as SVG.

use std::error::Error;
use std::path::Path;

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

use crate::measure::Outcome;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Chart<'a> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

const COLOURS: [RGBColor; 7] = [
    RGBColor(214, 39, 40),
    RGBColor(160, 160, 160),
    RGBColor(31, 119, 180),
    RGBColor(44, 160, 44),
    RGBColor(148, 103, 189),
    RGBColor(230, 171, 2),
    RGBColor(0, 0, 0),
];

/// Pixels for each row, and for all that is not rows.
const ROW: u32 = 22;
const AROUND: u32 = 120;

/// Plots a row of dots for each label: one dot, in the colour of its series, for each value between 0 and 100.
pub fn dots(path: &Path, title: &str, series: &[&str], rows: &[(String, Vec<f64>)]) -> Outcome {
    let root = canvas(path, rows.len())?;
    let mut chart = chart(&root, title, 100.0, rows)?;
    for place in 0..rows.len() {
        let at = place as f64;
        chart.draw_series(LineSeries::new([(0.0, at), (100.0, at)], RGBColor(225, 225, 225)))?;
    }
    // The first series is drawn last, above the others.
    for index in (0..series.len()).rev() {
        let dot = |(place, (_, values)): (usize, &(String, Vec<f64>))| {
            let size = if index == 0 { 6 } else { 4 };
            Circle::new((values[index], place as f64), size, of_dots(index).filled())
        };
        chart.draw_series(rows.iter().enumerate().map(dot))?;
    }
    legend(&root, series, of_dots)?;
    root.present()?;
    Ok(())
}

/// Plots horizontal bars: for each label one of each series.
pub fn bars(path: &Path, title: &str, series: &[&str], rows: &[(String, Vec<f64>)]) -> Outcome {
    let root = canvas(path, rows.len() * series.len())?;
    let most = rows.iter().flat_map(|(_, values)| values).copied().fold(0.0, f64::max);
    let mut chart = chart(&root, title, most * 1.08, rows)?;
    let height = 0.8 / series.len() as f64;
    for index in 0..series.len() {
        let bar = |(place, (_, values)): (usize, &(String, Vec<f64>))| {
            let top = place as f64 - 0.4 + height * index as f64;
            Rectangle::new([(0.0, top), (values[index], top + height)], of_bars(index).filled())
        };
        chart.draw_series(rows.iter().enumerate().map(bar))?;
        let figure = |(place, (_, values)): (usize, &(String, Vec<f64>))| {
            let middle = place as f64 - 0.4 + height * (index as f64 + 0.25);
            Text::new(crate::measure::figure(values[index]), (values[index] + most * 0.005, middle), ("sans-serif", 12))
        };
        chart.draw_series(rows.iter().enumerate().map(figure))?;
    }
    legend(&root, series, of_bars)?;
    root.present()?;
    Ok(())
}

/// Begins a file of so many rows.
fn canvas(path: &Path, rows: usize) -> Result<Area<'_>, Box<dyn Error>> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let root = SVGBackend::new(path, (1000, AROUND + ROW * rows as u32)).into_drawing_area();
    root.fill(&WHITE)?;
    Ok(root)
}

/// Draws axes: values from 0 on to the right, a row for each label from the top on.
fn chart<'a>(
    root: &Area<'a>,
    title: &str,
    most: f64,
    rows: &[(String, Vec<f64>)],
) -> Result<Chart<'a>, Box<dyn Error>> {
    let mut chart = ChartBuilder::on(root)
        .caption(title, ("sans-serif", 20))
        .margin(10)
        .margin_right(190)
        .x_label_area_size(30)
        .y_label_area_size(230)
        .build_cartesian_2d(0.0..most, rows.len() as f64 - 0.5..-0.5)?;
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
        .light_line_style(WHITE)
        .draw()?;
    Ok(chart)
}

/// Explains the colours, right of the chart.
fn legend(root: &Area<'_>, series: &[&str], colour: fn(usize) -> RGBColor) -> Outcome {
    for (index, name) in series.iter().enumerate() {
        let y = 50 + 18 * index as i32;
        root.draw(&Circle::new((830, y), 5, colour(index).filled()))?;
        root.draw(&Text::new(*name, (842, y - 6), ("sans-serif", 14)))?;
    }
    Ok(())
}

fn of_dots(index: usize) -> RGBColor {
    COLOURS[index % COLOURS.len()]
}

fn of_bars(index: usize) -> RGBColor {
    of_dots(2 * index)
}
