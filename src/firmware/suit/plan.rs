//! What one device has to do: the manifest's commands carried out on paper, without fetching anything.

use super::super::Digest;
use super::super::identity::{Identity, Uuid};
use super::super::refusal::{Refusal, Result};
use super::{Command, Condition, Directive, Manifest, Parameter, Patch};

/// An update as one device installs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// Goes up with every manifest.
    pub sequence: u64,
    /// For people.
    pub version: Option<String>,
    /// Of the image.
    pub digest: Digest,
    /// Of the image, in bytes.
    pub size: u64,
    /// Where the image or a patch is, the first to be tried first.
    pub sources: Vec<Source>,
}

/// Where something is fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// As in the manifest: may be relative to the manifest's own, and `#name` is in the envelope.
    pub uri: String,
    /// What is fetched is no image, but a patch.
    pub patch: Option<Patch>,
}

const SEVERAL: Refusal = Refusal::Unsupported("more than one component");

/// What the commands have set.
#[derive(Clone, Debug, Default)]
struct State {
    vendor: Option<Uuid>,
    class: Option<Uuid>,
    device: Option<Uuid>,
    digest: Option<Digest>,
    size: Option<u64>,
    slot: Option<u64>,
    uri: Option<String>,
    patch: Option<Patch>,
    /// The conditions that were met.
    is_of_vendor: bool,
    is_of_class: bool,
}

/// An image that a command would fetch.
#[derive(Debug)]
struct Found {
    digest: Digest,
    size: u64,
    source: Source,
}

struct Run<'d> {
    identity: &'d Identity,
    slot: Option<u64>,
    found: Vec<Found>,
}

impl Manifest<'_> {
    /// What a device of this kind has to do, into the slot of this number where it has numbers.
    ///
    /// # Errors
    /// The manifest is for others, or it needs what we do not do.
    pub fn update(&self, identity: &Identity, slot: Option<u64>) -> Result<Update> {
        match self.components.len() {
            0 => return Err(Refusal::Missing("component")),
            1 => {}
            _ => return Err(SEVERAL),
        }
        let mut run = Run {
            identity,
            slot,
            found: Vec::new(),
        };
        let mut state = State::default();
        run.sequence(&self.shared, &mut state)?;
        for sequence in [&self.fetch, &self.install, &self.validate] {
            run.sequence(sequence, &mut state)?;
        }
        // What is done at each start is the boot loader's, which is not asked whether it can.
        let fetched = run.found.len();
        for sequence in [&self.load, &self.invoke] {
            run.sequence(sequence, &mut state)?;
        }
        if run.found.len() > fetched {
            return Err(Refusal::Unsupported("fetching at each start"));
        }
        // RFC 9124 §4.2.3 and §4.2.4: both must be checked.
        if !state.is_of_vendor {
            return Err(Refusal::Missing("condition on the vendor"));
        }
        if !state.is_of_class {
            return Err(Refusal::Missing("condition on the class"));
        }
        run.update(self)
    }
}

impl Run<'_> {
    fn update(self, manifest: &Manifest<'_>) -> Result<Update> {
        let Some(first) = self.found.first() else {
            return Err(Refusal::Missing("directive that fetches an image"));
        };
        let (digest, size) = (first.digest, first.size);
        let is_same = |it: &Found| it.digest == digest && it.size == size;
        if !self.found.iter().all(is_same) {
            return Err(Refusal::Unsupported("several images for one device"));
        }
        Ok(Update {
            sequence: manifest.sequence_number,
            version: manifest.about.version.clone(),
            digest,
            size,
            sources: self.found.into_iter().map(|it| it.source).collect(),
        })
    }

    fn sequence(&mut self, commands: &[Command<'_>], state: &mut State) -> Result<()> {
        commands
            .iter()
            .try_for_each(|command| self.command(command, state))
    }

    fn command(&mut self, command: &Command<'_>, state: &mut State) -> Result<()> {
        match command {
            Command::Condition(condition) => self.condition(*condition, state),
            Command::Directive(directive) => self.directive(*directive, state),
            Command::Component(0) | Command::AllComponents => Ok(()),
            Command::Component(_) => Err(SEVERAL),
            Command::Components(list) => match list.iter().all(|index| *index == 0) {
                true => Ok(()),
                false => Err(SEVERAL),
            },
            Command::Override(parameters) => parameters
                .iter()
                .try_for_each(|parameter| state.set(parameter)),
            Command::TryEach(alternatives) => self.try_each(alternatives, state),
            Command::Run(commands) => self.sequence(commands, state),
        }
    }

    /// All alternatives that are for this device are looked at, as one may fail only when it is fetched; what the first of
    /// them sets is what holds from here on.
    fn try_each(&mut self, alternatives: &[Vec<Command<'_>>], state: &mut State) -> Result<()> {
        let (mut first, mut refusal) = (None, Refusal::NoAlternative);
        for alternative in alternatives {
            let mut its = state.clone();
            let found = self.found.len();
            match self.sequence(alternative, &mut its) {
                Ok(()) => {
                    first.get_or_insert(its);
                }
                // It is no failed condition, but something that we cannot judge.
                Err(why @ (Refusal::Unsupported(_) | Refusal::Missing(_))) => return Err(why),
                Err(why) => {
                    self.found.truncate(found);
                    refusal = why;
                }
            }
        }
        *state = first.ok_or(refusal)?;
        Ok(())
    }

    fn condition(&self, condition: Condition, state: &mut State) -> Result<()> {
        let id = self.identity;
        match condition {
            Condition::Vendor => {
                let wanted = state.vendor.ok_or(Refusal::Missing("vendor id"))?;
                state.is_of_vendor = true;
                same(wanted, id.vendor, &id.vendor_name)
                    .map_err(|(wanted, ours)| Refusal::Vendor { wanted, ours })
            }
            Condition::Class => {
                let wanted = state.class.ok_or(Refusal::Missing("class id"))?;
                state.is_of_class = true;
                same(wanted, id.class, &id.class_name)
                    .map_err(|(wanted, ours)| Refusal::Class { wanted, ours })
            }
            Condition::Device => match state.device {
                Some(device) => Err(Refusal::Device(device.to_string())),
                None => Err(Refusal::Missing("device id")),
            },
            Condition::Slot => match (state.slot.ok_or(Refusal::Missing("slot"))?, self.slot) {
                (wanted, Some(ours)) if wanted != ours => Err(Refusal::NoAlternative),
                _ => Ok(()),
            },
            // Checked when the image is there.
            Condition::ImageMatch => match state.digest {
                Some(_) => Ok(()),
                None => Err(Refusal::Missing("digest of the image")),
            },
            Condition::Content => Err(Refusal::Unsupported("a comparison with content")),
            Condition::Abort => Err(Refusal::NoAlternative),
        }
    }

    fn directive(&mut self, directive: Directive, state: &State) -> Result<()> {
        match directive {
            Directive::Fetch => {
                self.found.push(Found {
                    digest: state
                        .digest
                        .ok_or(Refusal::Missing("digest of the image"))?,
                    size: state.size.ok_or(Refusal::Missing("size of the image"))?,
                    source: Source {
                        uri: state.uri.clone().ok_or(Refusal::Missing("URI to fetch"))?,
                        patch: state.patch.clone(),
                    },
                });
                Ok(())
            }
            // Starting it is the boot loader's.
            Directive::Invoke => Ok(()),
            Directive::Copy => Err(Refusal::Unsupported("copying between components")),
            Directive::Write => Err(Refusal::Unsupported("writing of content")),
            Directive::Swap => Err(Refusal::Unsupported("swapping of components")),
        }
    }
}

/// Both as text where they differ.
fn same(wanted: Uuid, ours: Uuid, name: &str) -> std::result::Result<(), (String, String)> {
    let ours_text = match ours.to_string() {
        id if id == name => id,
        id => format!("{id} ({name})"),
    };
    match wanted == ours {
        true => Ok(()),
        false => Err((wanted.to_string(), ours_text)),
    }
}

impl State {
    fn set(&mut self, parameter: &Parameter<'_>) -> Result<()> {
        match parameter {
            Parameter::Vendor(id) => self.vendor = Some(*id),
            Parameter::Class(id) => self.class = Some(*id),
            Parameter::Device(id) => self.device = Some(*id),
            Parameter::Digest(digest) => self.digest = Some(*digest),
            Parameter::Size(size) => self.size = Some(*size),
            Parameter::Slot(slot) => self.slot = Some(*slot),
            Parameter::Uri(uri) => self.uri = Some((*uri).to_owned()),
            Parameter::Patch(patch) => self.patch = Some(patch.clone()),
            Parameter::Content(_) => return Err(Refusal::Unsupported("content in the manifest")),
            Parameter::Source(_) => return Err(Refusal::Unsupported("a source component")),
            // One component is always in order; an alternative that fails is always passed over; starting is not ours.
            Parameter::StrictOrder(_)
            | Parameter::SoftFailure(_)
            | Parameter::InvokeArguments(_) => {}
        }
        Ok(())
    }
}
