use chorde::cached;

static NUMBER: u64 = 5;

#[cached(client = NUMBER, ttl = 10)]
fn f(id: u64) -> u64 {
    id
}

fn main() {}
