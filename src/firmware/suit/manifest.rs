//! The manifest: what it says, with every command, parameter and member known. What we do not know may be a condition that
//! keeps an update from a device, so that nothing is passed over.

use super::super::cbor::Items;
use super::super::identity::Uuid;
use super::super::refusal::{Refusal, Result};
use super::super::{Digest, sha256};
use super::envelope::{digest_of, read_digest};
use super::text::About;
use super::{code, member, parameter};

/// Sequences within sequences.
const DEEPEST: usize = 4;

/// More than a device has parts to update.
const MOST_COMPONENTS: u64 = 64;

/// What a manifest says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest<'a> {
    /// Goes up with every manifest.
    pub sequence_number: u64,
    /// Where the manifest was published.
    pub reference_uri: Option<&'a str>,
    /// The parts that are updated, each a path of byte strings.
    pub components: Vec<Vec<&'a [u8]>>,
    /// Before each of the others.
    pub shared: Sequence<'a>,
    /// Fetches before installing.
    pub fetch: Sequence<'a>,
    /// Installs.
    pub install: Sequence<'a>,
    /// Checks at each boot.
    pub validate: Sequence<'a>,
    /// Copies to memory at each boot.
    pub load: Sequence<'a>,
    /// Starts at each boot.
    pub invoke: Sequence<'a>,
    /// What people read.
    pub about: About,
}

/// Commands, in their order.
pub type Sequence<'a> = Vec<Command<'a>>;

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command<'a> {
    /// Fails where it is not met.
    Condition(Condition),
    /// Does something.
    Directive(Directive),
    /// The commands that follow are about this component.
    Component(u64),
    /// The commands that follow are about these.
    Components(Vec<u64>),
    /// The commands that follow are about all components.
    AllComponents,
    /// Sets parameters.
    Override(Vec<Parameter<'a>>),
    /// The first of these that does not fail; an empty one never does.
    TryEach(Vec<Sequence<'a>>),
    /// These.
    Run(Sequence<'a>),
}

/// What must be so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// The device is of the vendor.
    Vendor,
    /// The device is of the class.
    Class,
    /// The device is the one.
    Device,
    /// The component has the digest.
    ImageMatch,
    /// The component has the content.
    Content,
    /// The component is the slot.
    Slot,
    /// Never.
    Abort,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Directive {
    /// From the URI.
    Fetch,
    /// From another component.
    Copy,
    /// The content of the manifest.
    Write,
    /// Starts the component.
    Invoke,
    /// Exchanges two components.
    Swap,
}

/// A parameter with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parameter<'a> {
    /// `1`
    Vendor(Uuid),
    /// `2`
    Class(Uuid),
    /// `24`
    Device(Uuid),
    /// `3`
    Digest(Digest),
    /// `14`
    Size(u64),
    /// `5`
    Slot(u64),
    /// `21`
    Uri(&'a str),
    /// `18`
    Content(&'a [u8]),
    /// `22`
    Source(u64),
    /// `12`
    StrictOrder(bool),
    /// `13`
    SoftFailure(bool),
    /// `23`
    InvokeArguments(&'a [u8]),
    /// `-1`: what is fetched is a patch.
    Patch(Patch),
}

/// A patch in the format BSDIFF40.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    /// Of the image that it changes.
    pub base: Digest,
    /// Of the image that it changes, in bytes.
    pub base_size: u64,
    /// Of the patch, in bytes.
    pub size: u64,
    /// Of the patch.
    pub digest: Digest,
}

/// Members that were taken out: number, content, content with the head of its byte string.
pub(super) type Severed<'a> = [(i128, &'a [u8], &'a [u8])];

fn digests(commands: &[Command<'_>], found: &mut Vec<Digest>) {
    for command in commands {
        match command {
            Command::Override(parameters) => {
                found.extend(parameters.iter().filter_map(|it| match it {
                    Parameter::Digest(digest) => Some(*digest),
                    _ => None,
                }))
            }
            Command::TryEach(alternatives) => alternatives.iter().for_each(|it| digests(it, found)),
            _ => {}
        }
    }
}

impl<'a> Manifest<'a> {
    /// The digests of all images that it may write, whoever they are for.
    pub fn images(&self) -> Vec<Digest> {
        let mut found = Vec::new();
        for commands in [&self.shared, &self.fetch, &self.install, &self.validate] {
            digests(commands, &mut found);
        }
        found
    }

    pub(super) fn read(bytes: &'a [u8], severed: &Severed<'a>) -> Result<Self> {
        let mut items = Items::new(bytes, "manifest");
        let mut manifest = Self::default();
        let (mut version, mut sequence, mut common) = (None, None, false);
        let mut last = i128::MIN;
        for _ in 0..items.map("a map")? {
            let number = items.int("the number of a member")?;
            // Deterministic encoding, which the draft demands, sorts them; so none occurs twice.
            if number <= last {
                return Err(items.expected("the members in ascending order"));
            }
            last = number;
            match number {
                member::VERSION => version = Some(items.uint("a version")?),
                member::SEQUENCE_NUMBER => sequence = Some(items.uint("a sequence number")?),
                member::COMMON => {
                    manifest.read_common(items.bytes("a byte string")?)?;
                    common = true;
                }
                member::REFERENCE_URI => manifest.reference_uri = Some(items.text("a URI")?),
                _ => manifest.read_member(number, &mut items, severed)?,
            }
        }
        items.end()?;
        let missing = |what: &str| Refusal::malformed("manifest", format!("it has no {what}"));
        match version.ok_or_else(|| missing("version"))? {
            1 => {}
            other => return Err(Refusal::ManifestVersion(other)),
        }
        manifest.sequence_number = sequence.ok_or_else(|| missing("sequence number"))?;
        match common {
            true => Ok(manifest),
            false => Err(missing("common part")),
        }
    }

    fn read_common(&mut self, bytes: &'a [u8]) -> Result<()> {
        let mut items = Items::new(bytes, "common part");
        for _ in 0..items.map("a map")? {
            match items.int("the number of a member")? {
                member::COMPONENTS => self.components = components(&mut items)?,
                member::SHARED_SEQUENCE => {
                    self.shared = sequence(items.bytes("a byte string")?, 0)?;
                }
                other => return Err(Refusal::Member(other)),
            }
        }
        items.end()
    }

    fn read_member(
        &mut self,
        number: i128,
        items: &mut Items<'a>,
        severed: &Severed<'a>,
    ) -> Result<()> {
        let into = match number {
            member::VALIDATE => &mut self.validate,
            member::LOAD => &mut self.load,
            member::INVOKE => &mut self.invoke,
            member::PAYLOAD_FETCH => &mut self.fetch,
            member::INSTALL => &mut self.install,
            member::TEXT => {
                if let Some(bytes) = severable(number, items, severed)? {
                    self.about = About::read(bytes)?;
                }
                return Ok(());
            }
            other => return Err(Refusal::Member(other)),
        };
        let bytes = severable(number, items, severed)?;
        let missing = || Refusal::malformed("envelope", format!("the member {number} is missing"));
        *into = sequence(bytes.ok_or_else(missing)?, 0)?;
        Ok(())
    }
}

/// A member that stands in the manifest, or in the envelope with its digest in the manifest; `None` where it was left out.
fn severable<'a>(
    number: i128,
    items: &mut Items<'a>,
    severed: &Severed<'a>,
) -> Result<Option<&'a [u8]>> {
    if items.major() == Some(2) {
        return items.bytes("a byte string").map(Some);
    }
    let wanted = digest_of(items)?;
    let Some((_, inner, wrapped)) = severed.iter().find(|(found, ..)| *found == number) else {
        return Ok(None);
    };
    match sha256(wrapped) == wanted {
        true => Ok(Some(inner)),
        // It is one of three.
        false => Err(Refusal::MemberDigest(number as u64)),
    }
}

fn components<'a>(items: &mut Items<'a>) -> Result<Vec<Vec<&'a [u8]>>> {
    let count = items.array("an array of components")?;
    if count > MOST_COMPONENTS {
        return Err(items.expected("at most 64 components"));
    }
    let component = |items: &mut Items<'a>| {
        let parts = items.array("a component")?;
        (0..parts)
            .map(|_| items.bytes("a part of a component's path"))
            .collect()
    };
    (0..count).map(|_| component(items)).collect()
}

fn sequence(bytes: &[u8], depth: usize) -> Result<Sequence<'_>> {
    if depth > DEEPEST {
        return Err(Refusal::malformed("manifest", "sequences nest too deep"));
    }
    let mut items = Items::new(bytes, "command sequence");
    let count = items.array("an array of commands")?;
    if count % 2 == 1 {
        return Err(items.expected("pairs of a command and its argument"));
    }
    let commands = (0..count / 2)
        .map(|_| command(&mut items, depth))
        .collect::<Result<_>>()?;
    items.end()?;
    Ok(commands)
}

fn command<'a>(items: &mut Items<'a>, depth: usize) -> Result<Command<'a>> {
    let number = items.int("the number of a command")?;
    let step = match number {
        code::VENDOR => Command::Condition(Condition::Vendor),
        code::CLASS => Command::Condition(Condition::Class),
        code::DEVICE => Command::Condition(Condition::Device),
        code::IMAGE_MATCH => Command::Condition(Condition::ImageMatch),
        code::CHECK_CONTENT => Command::Condition(Condition::Content),
        code::SLOT => Command::Condition(Condition::Slot),
        code::ABORT => Command::Condition(Condition::Abort),
        code::FETCH => Command::Directive(Directive::Fetch),
        code::COPY => Command::Directive(Directive::Copy),
        code::WRITE => Command::Directive(Directive::Write),
        code::INVOKE => Command::Directive(Directive::Invoke),
        code::SWAP => Command::Directive(Directive::Swap),
        code::SET_COMPONENT => return component_index(items),
        code::OVERRIDE => return overrides(items).map(Command::Override),
        code::TRY_EACH => return alternatives(items, depth).map(Command::TryEach),
        code::RUN_SEQUENCE => {
            let inner = items.bytes("a sequence in a byte string")?;
            return sequence(inner, depth + 1).map(Command::Run);
        }
        other => return Err(Refusal::Command(other)),
    };
    items.uint("a reporting policy")?;
    Ok(step)
}

fn component_index<'a>(items: &mut Items<'a>) -> Result<Command<'a>> {
    match items.major() {
        Some(7) if items.bool("an index")? => Ok(Command::AllComponents),
        Some(0) => items.uint("an index").map(Command::Component),
        Some(4) => {
            let count = items.array("a list of components")?;
            if count > MOST_COMPONENTS {
                return Err(items.expected("at most 64 components"));
            }
            let indices = (0..count).map(|_| items.uint("an index"));
            indices.collect::<Result<_>>().map(Command::Components)
        }
        _ => Err(items.expected("a component")),
    }
}

fn alternatives<'a>(items: &mut Items<'a>, depth: usize) -> Result<Vec<Sequence<'a>>> {
    let count = items.array("an array of sequences")?;
    let alternative = |items: &mut Items<'a>| match items.takes_null() {
        true => Ok(Sequence::new()),
        false => sequence(items.bytes("a sequence in a byte string")?, depth + 1),
    };
    (0..count).map(|_| alternative(items)).collect()
}

fn overrides<'a>(items: &mut Items<'a>) -> Result<Vec<Parameter<'a>>> {
    let count = items.map("a map of parameters")?;
    (0..count).map(|_| parameter(items)).collect()
}

fn parameter<'a>(items: &mut Items<'a>) -> Result<Parameter<'a>> {
    let uuid = |items: &mut Items<'a>| {
        let found = Uuid::from_slice(items.bytes("a UUID")?);
        found.ok_or_else(|| items.expected("a UUID of 16 bytes before"))
    };
    Ok(match items.int("the number of a parameter")? {
        parameter::VENDOR => Parameter::Vendor(uuid(items)?),
        parameter::CLASS => Parameter::Class(uuid(items)?),
        parameter::DEVICE => Parameter::Device(uuid(items)?),
        parameter::DIGEST => Parameter::Digest(read_digest(items.bytes("a digest")?)?),
        parameter::SIZE => Parameter::Size(items.uint("a size")?),
        parameter::SLOT => Parameter::Slot(items.uint("a slot")?),
        parameter::URI => Parameter::Uri(items.text("a URI")?),
        parameter::CONTENT => Parameter::Content(items.bytes("a content")?),
        parameter::SOURCE => Parameter::Source(items.uint("a component")?),
        parameter::STRICT_ORDER => Parameter::StrictOrder(items.bool("a boolean")?),
        parameter::SOFT_FAILURE => Parameter::SoftFailure(items.bool("a boolean")?),
        parameter::INVOKE_ARGUMENTS => Parameter::InvokeArguments(items.bytes("arguments")?),
        parameter::PATCH => patch(items.bytes("a patch in a byte string")?)?,
        other => return Err(Refusal::Parameter(other)),
    })
}

/// `[1, digest and size of what it is applied to, its size, its digest]`: 1 is BSDIFF40.
fn patch<'a>(bytes: &[u8]) -> Result<Parameter<'a>> {
    let mut items = Items::new(bytes, "patch");
    if items.array("an array of five")? != 5 || items.uint("a format")? != 1 {
        return Err(Refusal::Unsupported(
            "another format of patches than BSDIFF40",
        ));
    }
    let base = read_digest(items.bytes("a digest")?)?;
    let base_size = items.uint("a size")?;
    let size = items.uint("a size")?;
    let digest = read_digest(items.bytes("a digest")?)?;
    items.end()?;
    Ok(Parameter::Patch(Patch {
        base,
        base_size,
        size,
        digest,
    }))
}
