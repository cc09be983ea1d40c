//! TD_COAP_LINK_01 to 09: discovery.

use super::*;
use crate::coap::option;
use crate::coap::uri::Uri;
use crate::payload::link::{self, Link};

fn found(net: &mut Net, local: &str) -> Vec<Link> {
    let uri = Uri::parse(&format!("coap://192.0.2.1{local}")).expect("a URI");
    let mut asked = Request::new(server_address(), Code::GET);
    uri.add_to(&mut asked.options);
    let reply = net.ask(asked);
    assert_eq!(reply.response.options.content_format(), Some(40));
    link::parse(&body(&reply)).expect("link-format")
}

fn targets(query: &str) -> Vec<String> {
    let mut net = Net::new();
    let links = found(&mut net, &format!("/.well-known/core?{query}"));
    // Everything goes over the wire as it stands.
    assert_eq!(
        net.up()[0].message.options.texts(option::URI_QUERY),
        [query]
    );
    links.into_iter().map(|it| it.target).collect()
}

#[test]
fn td_coap_link_01_discovery() {
    let links = found(&mut Net::new(), "/.well-known/core");
    let observable = links.iter().find(|it| it.target == "/obs").expect("/obs");
    assert!(observable.has("obs"));
    assert!(links.iter().any(|it| it.target == "/test"));
}

#[test]
fn td_coap_link_02_03_04_resource_types() {
    assert_eq!(targets("rt=Type1"), ["/link1", "/link3"]);
    assert_eq!(targets("rt=Type2"), ["/link1", "/link2"]);
    assert!(targets("rt=*").len() >= 3);
}

#[test]
fn td_coap_link_05_06_interfaces_and_sizes() {
    assert_eq!(targets("if=If*"), ["/link1", "/link2"]);
    assert_eq!(targets("sz=*"), ["/large", "/large-separate"]);
}

#[test]
fn td_coap_link_07_08_targets() {
    assert_eq!(targets("href=/link1"), ["/link1"]);
    assert_eq!(targets("href=/link*"), ["/link1", "/link2", "/link3"]);
}

#[test]
fn td_coap_link_09_hierarchy() {
    let mut net = Net::new();
    let links = found(&mut net, "/.well-known/core?ct=40");
    assert_eq!(links.len(), 1);
    assert_eq!(links[0].formats(), [40]);
    let below = found(&mut net, &links[0].target);
    assert_eq!(below.len(), 3);
    assert_eq!(net.get(&below[0].target).response.code, Code::CONTENT);
}
