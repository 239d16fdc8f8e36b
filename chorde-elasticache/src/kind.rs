//! What an endpoint is. PURE.

/// Says what kind of server an endpoint of ElastiCache is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EndpointKind {
    /// It is known by its name, or found out by asking: the default.
    #[default]
    Auto,
    /// The configuration endpoint of a cluster, which tells of all nodes: `cfg` is a part of its name. An answer that tells
    /// of no cluster is a failure then, never the news that there is none.
    Configuration,
    /// A server that is used by itself. Said by the user, it is not asked for others; a name with a number such as `0001` in
    /// it is no reason not to ask, since a node knows of the others.
    Node,
    /// A serverless cache, which is one server to its users, under several addresses, and always encrypted: `serverless` is
    /// a part of its name. It is not asked for others.
    Serverless,
}

/// The ends of all names that ElastiCache gives: those of the public regions, and those of the regions in China.
const ZONES: [&str; 2] = [".cache.amazonaws.com", ".cache.amazonaws.com.cn"];

/// Returns what to take an endpoint for: what the user says it is, or what its name says. A node is asked all the same: it
/// knows of the others.
pub(crate) fn of(said: EndpointKind, host: Option<&str>) -> EndpointKind {
    let named = host.and_then(by_name).filter(|kind| *kind != EndpointKind::Node);
    if said == EndpointKind::Auto { named.unwrap_or_default() } else { said }
}

/// Returns what the server of this name is, if ElastiCache gives such names. In encrypted clusters the names begin with
/// what the server is, so that one certificate for `*.cluster.id.region` is good for all of them.
fn by_name(host: &str) -> Option<EndpointKind> {
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let rest = ZONES.iter().find_map(|zone| host.strip_suffix(zone))?;
    let labels: Vec<_> = rest.split('.').collect();
    if !labels.iter().all(|label| is_label(label)) {
        return None;
    }
    match *labels.as_slice() {
        [_cluster, _id, "cfg", _region] => Some(EndpointKind::Configuration),
        [_cluster, _id, number, _region] if is_node_number(number) => Some(EndpointKind::Node),
        ["cfg", _cluster, _id, _region] => Some(EndpointKind::Configuration),
        [number, _cluster, _id, _region] if is_node_number(number) => Some(EndpointKind::Node),
        [_name_and_id, "serverless", _region] => Some(EndpointKind::Serverless),
        _ => None,
    }
}

fn is_label(label: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !label.is_empty() && label.bytes().all(inner) && !label.starts_with('-') && !label.ends_with('-')
}

/// Nodes are numbered in four digits.
fn is_node_number(label: &str) -> bool {
    label.len() == 4 && label.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_names_that_elasticache_gives_are_known() {
        for (host, kind) in [
            ("mycluster.fnjyzo.cfg.use1.cache.amazonaws.com", EndpointKind::Configuration),
            ("MyCluster.FnJyZo.CFG.use1.Cache.AmazonAWS.com.", EndpointKind::Configuration),
            ("prod-memcache.0xekmi.cfg.cnn1.cache.amazonaws.com.cn", EndpointKind::Configuration),
            ("mycluster.fnjyzo.0001.use1.cache.amazonaws.com", EndpointKind::Node),
            ("mycluster.fnjyzo.0300.usw2.cache.amazonaws.com", EndpointKind::Node),
            ("cfg.mycluster.fnjyzo.use1.cache.amazonaws.com", EndpointKind::Configuration),
            ("0001.mycluster.fnjyzo.use1.cache.amazonaws.com", EndpointKind::Node),
            ("cfg.fnjyzo.0001.use1.cache.amazonaws.com", EndpointKind::Node),
            ("mycluster.fnjyzo.0001.cnw1.cache.amazonaws.com.cn.", EndpointKind::Node),
            ("mycache-fnjyzo.serverless.use1.cache.amazonaws.com", EndpointKind::Serverless),
            ("mycache.serverless.use1.cache.amazonaws.com", EndpointKind::Serverless),
            ("my-own-cache-fnjyzo.serverless.cnn1.cache.amazonaws.com.cn", EndpointKind::Serverless),
        ] {
            assert_eq!(by_name(host), Some(kind), "{host}");
        }
    }

    #[test]
    fn no_other_name_is_taken_for_one_of_them() {
        for host in [
            "",
            ".",
            "localhost",
            "10.0.0.7",
            "cache.amazonaws.com",
            ".cfg.use1.cache.amazonaws.com",
            "mycluster.cfg.use1.cache.amazonaws.com",
            "mycluster..cfg.use1.cache.amazonaws.com",
            "mycluster.fnjyzo.cfg..cache.amazonaws.com",
            "mycluster.fnjyzo.cfg.use1.cache.amazonaws.com..",
            "mycluster.fnjyzo.cfg.use1.cache.amazonaws.com.de",
            "mycluster.fnjyzo.cfg.use1.cache.amazonaws.com.cn.example",
            "mycluster.fnjyzo.cfg.use1.cacheXamazonaws.com",
            "mycluster.fnjyzo.cfg.use1.cache.amazonaws.com:11211",
            "http://mycluster.fnjyzo.cfg.use1.cache.amazonaws.com",
            "my cluster.fnjyzo.cfg.use1.cache.amazonaws.com",
            "mycluster.fnjyzo.cfgs.use1.cache.amazonaws.com",
            "mycluster.fnjyzo.1.use1.cache.amazonaws.com",
            "mycluster.fnjyzo.00001.use1.cache.amazonaws.com",
            "mycluster.fnjyzo.000x.use1.cache.amazonaws.com",
            "mycluster.fnjyzo.ng.0001.use1.cache.amazonaws.com",
            "mycluster.fnjyzo.cfg.0001.use1.cache.amazonaws.com",
            "clustercfg.mycluster.fnjyzo.use1.cache.amazonaws.com",
            "mycache.fnjyzo.serverless.use1.cache.amazonaws.com",
            "-fnjyzo.serverless.use1.cache.amazonaws.com",
            "mycache-fnjyzo.use1.serverless.cache.amazonaws.com",
            "mycache-fnjyzo.serverless.cache.amazonaws.com",
        ] {
            assert_eq!(by_name(host), None, "{host}");
        }
    }

    #[test]
    fn what_the_user_says_goes_before_what_the_name_says() {
        let cfg = Some("mycluster.fnjyzo.cfg.use1.cache.amazonaws.com");
        assert_eq!(of(EndpointKind::Auto, cfg), EndpointKind::Configuration);
        assert_eq!(of(EndpointKind::Node, cfg), EndpointKind::Node);
        let node = Some("mycluster.fnjyzo.0001.use1.cache.amazonaws.com");
        assert_eq!(of(EndpointKind::Auto, node), EndpointKind::Auto);
        assert_eq!(of(EndpointKind::Auto, None), EndpointKind::Auto);
        assert_eq!(of(EndpointKind::Serverless, Some("my.own.name")), EndpointKind::Serverless);
    }

    proptest! {
        #[test]
        fn case_and_a_final_dot_do_not_matter(host in "[a-z]{1,3}([-.][a-z0-9]{0,4}){0,4}\\.cache\\.amazonaws\\.com(\\.cn)?") {
            prop_assert_eq!(by_name(&host.to_ascii_uppercase()), by_name(&host));
            prop_assert_eq!(by_name(&format!("{host}.")), by_name(&host));
        }

        #[test]
        fn no_text_makes_it_panic(host in "\\PC{0,40}(\\.cache\\.amazonaws\\.com)?") {
            prop_assert_ne!(by_name(&host), Some(EndpointKind::Auto));
        }
    }
}
