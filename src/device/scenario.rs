//! Fleets that are built in. Each is a file: it can be printed, and changed.

/// The names of all, with what each is.
pub(crate) const SCENARIOS: [(&str, &str); 5] = [
    ("home", include_str!("scenarios/home.toml")),
    ("building", include_str!("scenarios/building.toml")),
    ("factory", include_str!("scenarios/factory.toml")),
    ("vehicle", include_str!("scenarios/vehicle.toml")),
    ("gpio", include_str!("scenarios/gpio.toml")),
];

/// The file of a scenario.
pub(crate) fn named(name: &str) -> Option<&'static str> {
    let mut all = SCENARIOS.iter();
    all.find(|(known, _)| *known == name).map(|(_, text)| *text)
}
