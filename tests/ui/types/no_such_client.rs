use chorde::cached;

#[cached(client = CACHE, ttl = 10)]
fn f(id: u64) -> u64 {
    id
}

fn main() {}
