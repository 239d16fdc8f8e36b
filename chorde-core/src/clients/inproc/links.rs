//! Threads nodes into doubly linked chains through one vector.
//!
//! A node is in at most one chain at a time; who calls knows which, and passes it. Whatever else is to be known of each
//! node lies beside its links, so that one line of the cache serves for both. Every operation is O(1), and nothing is
//! allocated except when a node number is seen for the first time. Used by the eviction policies and the expiry index;
//! knows nothing of keys, weights or time.

use super::policy::Node;

/// Stands for no node.
pub(super) const NIL: Node = Node::MAX;

/// Joins a node to its neighbours in its chain.
#[derive(Debug, Clone, Copy)]
struct Link<T> {
    /// Joined after this one; `NIL` for the newest.
    newer: Node,
    /// Joined before this one; `NIL` for the oldest.
    older: Node,
    /// What the owner of the chains keeps of the node.
    about: T,
}

/// Holds the neighbours of every node, whatever chain it is in, and something about each.
#[derive(Debug, Default)]
pub(super) struct Links<T = ()> {
    /// By node; neighbours are stale for a node in no chain.
    links: Vec<Link<T>>,
}

/// Names the two ends of one chain.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chain {
    /// Joined last; `NIL` when empty.
    newest: Node,
    /// Joined first; `NIL` when empty.
    oldest: Node,
}

impl Chain {
    /// Is a chain of no nodes.
    pub(super) const EMPTY: Self = Self { newest: NIL, oldest: NIL };

    /// Returns the node at the old end.
    pub(super) fn oldest(&self) -> Option<Node> {
        (self.oldest != NIL).then_some(self.oldest)
    }
}

impl<T: Copy + Default> Links<T> {
    /// Makes room for `node`.
    pub(super) fn reserve(&mut self, node: Node) {
        if node as usize >= self.links.len() {
            self.grow(node);
        }
    }

    /// Returns how many nodes there is room for.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.links.len()
    }

    #[cold]
    fn grow(&mut self, node: Node) {
        self.links.resize(node as usize + 1, Link { newer: NIL, older: NIL, about: T::default() });
    }

    /// Returns what is kept of `node`, to be changed, if there is room for it.
    pub(super) fn get_mut(&mut self, node: Node) -> Option<&mut T> {
        self.links.get_mut(node as usize).map(|link| &mut link.about)
    }

    /// Returns what is kept of `node`, for which there must be room.
    pub(super) fn about(&self, node: Node) -> T {
        self.links[node as usize].about
    }

    /// Returns what is kept of `node`, for which there must be room, to be changed.
    pub(super) fn about_mut(&mut self, node: Node) -> &mut T {
        &mut self.links[node as usize].about
    }

    /// Returns the neighbour of `node` on the way from the oldest to the newest.
    pub(super) fn newer(&self, node: Node) -> Option<Node> {
        let newer = self.links[node as usize].newer;
        (newer != NIL).then_some(newer)
    }

    /// Puts a node that is in no chain at the new end.
    pub(super) fn push_newest(&mut self, chain: &mut Chain, node: Node) {
        let link = &mut self.links[node as usize];
        (link.newer, link.older) = (NIL, chain.newest);
        match chain.newest {
            NIL => chain.oldest = node,
            newest => self.links[newest as usize].newer = node,
        }
        chain.newest = node;
    }

    /// Puts a node that is in no chain at the old end.
    pub(super) fn push_oldest(&mut self, chain: &mut Chain, node: Node) {
        let link = &mut self.links[node as usize];
        (link.newer, link.older) = (chain.oldest, NIL);
        match chain.oldest {
            NIL => chain.newest = node,
            oldest => self.links[oldest as usize].older = node,
        }
        chain.oldest = node;
    }

    /// Takes a node out of `chain`, which it must be in.
    pub(super) fn unlink(&mut self, chain: &mut Chain, node: Node) {
        let Link { newer, older, .. } = self.links[node as usize];
        match newer {
            NIL => chain.newest = older,
            newer => self.links[newer as usize].older = older,
        }
        match older {
            NIL => chain.oldest = newer,
            older => self.links[older as usize].newer = newer,
        }
    }
}
