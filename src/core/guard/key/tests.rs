use super::*;
use crate::core::guard::head::{HeadRead, parse};

fn order() -> KeyOrder {
    let paths = ["POST /v1/messages", "POST /v1/models/*:generate", "GET /v1/models"].map(str::to_owned).to_vec();
    KeyOrder {
        peer: "api.example.com:443".into(),
        private: false,
        base: "/base".into(),
        paths,
        fields: ["anthropic-version", "x-own-*", "x-api-key", "robot-id"].map(str::to_owned).to_vec(),
        query: ["beta", "alt"].map(str::to_owned).to_vec(),
        header: "x-api-key: {key}".into(),
        name: "KEY".into(),
        from: KeySource::Secret(SecretSource::Env("KEY".into())),
        openssl: "/usr/bin/openssl".into(),
        authorities: None,
    }
}

fn only(key: &str) -> Credential {
    Credential { key: key.into(), also: Vec::new() }
}

#[track_caller]
fn read(text: &str) -> ProxyHead {
    match parse(text.as_bytes()) {
        HeadRead::Whole(head) => head,
        other => panic!("{text:?}: {other:?}"),
    }
}

#[track_caller]
fn judged(line: &str, fields: &str) -> Option<Result<KeyedRequest, KeyRefusal>> {
    order().judge(&read(&format!("{line} HTTP/1.1\r\n{fields}\r\n")))
}

// GU-02: what gets the key is listed, and can be read in one way only.
#[test]
fn only_listed_requests_get_the_key() {
    let ok = |line: &str| judged(line, "").unwrap().unwrap();
    assert_eq!(ok("POST /keys/v1/messages").target, "/base/v1/messages");
    assert_eq!(ok("POST /keys/v1/messages?beta=true&alt=a,b").target, "/base/v1/messages?beta=true&alt=a,b");
    assert_eq!(ok("POST /keys/v1/models/a-1.2:generate?alt=sse").listed, "POST /v1/models/*:generate");
    let refused = |line: &str, expected: KeyRefusal| assert_eq!(judged(line, ""), Some(Err(expected)), "{line}");
    for line in [
        "GET /keys/v1/messages",
        "post /keys/v1/messages",
        "POST /keys/v1/files",
        "POST /keys/v1/messages/batches",
        "POST /keys/v1/models/a/b:generate",
        "POST /keys/v1/models/:generate",
        "POST /keys/v1/models/a:batch",
        "POST /keys/v1/models/a:generate:batch",
        "POST /keys/v1/models/a:b:generate",
        "POST /keys/v1/models/..:generate",
        "POST /keys/v1/models",
        "POST /keys/v1",
        "POST /keys/V1/messages",
    ] {
        refused(line, KeyRefusal::NotListed);
    }
    for path in [
        "",
        "/",
        "//v1/messages",
        "/v1/messages/",
        "/v1/../v1/messages",
        "/v1/models/..",
        "/v1/./messages",
        "/v1/%6dessages",
        "/v1/models/a%2fb",
        "/v1/models/a;b",
        "/v1/models/a\\b",
        "/v1/messages#x",
        "/v1/models/\u{e9}",
    ] {
        let expected = if path.is_empty() { None } else { Some(Err(KeyRefusal::Target)) };
        assert_eq!(judged(&format!("POST /keys{path}"), ""), expected, "{path}");
    }
    for query in ["%6bey=x", "$httpHeaders=x", "a=b;key=c", "beta=%26key=x", "beta=a?b"] {
        refused(&format!("POST /keys/v1/messages?{query}"), KeyRefusal::Target);
    }
    for (query, kept, dropped) in [
        ("key=theirs", "", &["?key"][..]),
        ("beta=true&access_token=x&alt=sse", "?beta=true&alt=sse", &["?access_token"]),
        ("BETA=x&betas=x&&_method=DELETE", "", &["?BETA", "?betas", "?_method"]),
        ("beta=a&beta", "?beta=a&beta", &[]),
    ] {
        let asked = ok(&format!("POST /keys/v1/messages?{query}"));
        assert_eq!(
            (asked.target.as_str(), asked.dropped),
            (&*format!("/base/v1/messages{kept}"), dropped.iter().map(|d| (*d).to_owned()).collect())
        );
    }
    // Some programs ask their proxy for it.
    for own in ["127.0.0.1:3128", "LocalHost:3128", "[::1]:3128"] {
        assert_eq!(ok(&format!("POST http://{own}/keys/v1/messages")).target, "/base/v1/messages");
        refused(&format!("POST http://{own}/keys/v1/files"), KeyRefusal::NotListed);
    }
    // What is not for this is for the proxy, or for nobody.
    for line in [
        "POST /keysx/v1/messages",
        "POST /v1/messages",
        "GET http://a.com/keys/v1/messages",
        "POST http://127.0.0.1/keys/v1/messages",
        "CONNECT a.com:443",
    ] {
        assert_eq!(judged(line, ""), None, "{line}");
    }
    assert_eq!(judged("GET /keys/v1/responses", "Upgrade: websocket\r\nConnection: upgrade\r\n"), Some(Err(KeyRefusal::Upgrade)));
}

// GU-02: nothing of the container's that may be a key goes along, by whatever name.
#[test]
fn the_vendor_gets_one_key() {
    let theirs = [
        "Authorization: Bearer theirs",
        "X-Api-Key: theirs",
        "x_api_key: theirs",
        "X-Goog-Api-Key: theirs",
        "Api-Key: theirs",
        "Proxy-Authorization: theirs",
        "Cookie: theirs",
        "X-Amz-Security-Token: theirs",
        "X-HTTP-Method-Override: GET",
        "X-HTTP-Method: DELETE",
        "X-Host: theirs",
        "Password: theirs",
        "DPoP: theirs",
        "OpenAI-Organization: theirs",
        "x-goog-user-project: theirs",
        "X-Original-URL: /v1/files",
        "X-Forwarded-Host: theirs",
        "Connection: x-hop, close",
        "X-Hop: theirs",
        "Expect: 100-continue",
        "Trailer: x",
        "Content_Length: 0",
        "Transfer_Encoding: chunked",
        "TE: trailers",
        "Host: evil.com",
        "X-Owner: theirs",
        "X-Anything: theirs",
        "Robot_Id: theirs",
    ];
    let text = format!(
        "POST /keys/v1/messages HTTP/1.1\r\n{}\r\nAnthropic-Version: 1\r\nX-Own-A: b\r\nContent-Length: 2\r\n\r\n",
        theirs.join("\r\n")
    );
    let (order, head) = (order(), read(&text));
    let asked = order.judge(&head).unwrap().unwrap();
    let sent = String::from_utf8(order.head(&asked, &head, "api.example.com", &only("real")).unwrap()).unwrap();
    let expected = "POST /base/v1/messages HTTP/1.1\r\nHost: api.example.com\r\nAnthropic-Version: 1\r\nX-Own-A: b\r\n\
                    Content-Length: 2\r\nx-api-key: real\r\nConnection: close\r\n\r\n";
    assert_eq!(sent, expected);
    for bad in ["", "a b", "a\r\nX: y", "a\0", "\u{e9}"] {
        assert_eq!(order.head(&asked, &head, "api.example.com", &only(bad)), None, "{bad:?}");
    }
    // Whoever doubts finds what was dropped, by name.
    assert!(["authorization", "cookie", "x-owner", "content_length"].iter().all(|name| asked.dropped.iter().any(|known| known == name)));
    assert!(!["x-api-key", "x_api_key", "host", "x-own-a"].iter().any(|name| asked.dropped.iter().any(|known| known == name)));
    // Not even by being named as a field of the hop is a frame taken away.
    let head = read("POST /keys/v1/messages HTTP/1.1\r\nConnection: content-length\r\nContent-Length: 2\r\n\r\n");
    let asked = order.judge(&head).unwrap().unwrap();
    let sent = String::from_utf8(order.head(&asked, &head, "a", &only("real")).unwrap()).unwrap();
    assert!(sent.contains("Content-Length: 2\r\n"), "{sent}");
}

// GU-02: what belongs to a login comes from it, and what the container says of it is dropped, even where the login says nothing.
#[test]
fn what_belongs_to_a_login_comes_from_it() {
    let at = LoginPlaces { token: "/a/token".into(), also: [("robot-id".to_owned(), "/a/id".to_owned())].into() };
    let order = KeyOrder { from: KeySource::Login { tool: "x".into(), at: at.clone() }, ..order() };
    let head = read("POST /keys/v1/messages HTTP/1.1\r\nRobot-Id: theirs\r\nrobot_id: theirs\r\nContent-Length: 0\r\n\r\n");
    let asked = order.judge(&head).unwrap().unwrap();
    let sent = |document: &str| Some(String::from_utf8(order.head(&asked, &head, "a", &at.find(document.as_bytes())?)?).unwrap());
    assert!(
        sent(r#"{"a": {"token": "real", "id": "mine"}}"#)
            .unwrap()
            .ends_with("x-api-key: real\r\nrobot-id: mine\r\nConnection: close\r\n\r\n")
    );
    let without = sent(r#"{"a": {"token": "real", "id": null}}"#).unwrap();
    assert!(!without.to_ascii_lowercase().contains("robot"), "{without}");
    for none in ["", "{}", r#"{"a": {"id": "mine"}}"#, r#"{"a": {"token": ""}}"#, r#"{"a": {"token": "real", "id": "a b"}}"#] {
        assert_eq!(sent(none), None, "{none}");
    }
}

#[test]
fn an_answer_says_that_its_connection_ends() {
    for (answer, expected) in [
        ("HTTP/1.1 200 OK\r\nA: b\r\n\r\nx\n", "HTTP/1.1 200 OK\r\nConnection: close\r\nA: b\r\n\r\nx\n"),
        ("HTTP/1.0 200\n\n", "HTTP/1.0 200\nConnection: close\r\n\n"),
        ("HTTP/1.1 200", "HTTP/1.1 200"),
        ("hello\nthere\n", "hello\nthere\n"),
        ("", ""),
    ] {
        assert_eq!(String::from_utf8(closing(answer.as_bytes())).unwrap(), expected, "{answer:?}");
    }
}

/// What is the body of these bytes; `None` where they are no body.
fn body_of(fields: &str, bytes: &[u8], step: usize) -> Option<(usize, bool)> {
    let mut body = judged("POST /keys/v1/messages", fields).unwrap().ok()?.body;
    let mut all = 0;
    for piece in bytes.chunks(step) {
        let count = body.take(piece).ok()?;
        all += count;
        if count < piece.len() {
            break;
        }
    }
    Some((all, body.is_over()))
}

// GU-02: a body ends where everybody says that it does, however it comes; what is behind it goes nowhere.
#[test]
fn a_body_has_one_end() {
    let chunked = "Transfer-Encoding: chunked\r\n";
    let behind = b"POST /v1/files HTTP/1.1\r\n\r\n";
    for (fields, body) in [
        ("", ""),
        ("Content-Length: 0\r\n", ""),
        ("Content-Length: 5\r\n", "hello"),
        (chunked, "5\r\nhello\r\n0\r\n\r\n"),
        (chunked, "a\r\n0\r\n\r\n01234\r\n00\r\n\r\n"),
        ("Transfer-Encoding: Chunked\r\n", "0\r\n\r\n"),
    ] {
        let bytes = [body.as_bytes(), behind].concat();
        for step in 1..=bytes.len() {
            assert_eq!(body_of(fields, &bytes, step), Some((body.len(), true)), "{fields}{body:?} by {step}");
        }
    }
    for bad in [
        "5;x=y\r\nhello\r\n",
        "\r\n",
        "5\nhello",
        "+5\r\n",
        "0x5\r\n",
        " 5\r\n",
        "5\r\nhelloo\r\n",
        "0\r\nX: y\r\n\r\n",
        "g\r\n",
        "fffffffffffffffff\r\n",
        "-1\r\n",
    ] {
        assert_eq!(body_of(chunked, bad.as_bytes(), 3), None, "{bad:?}");
    }
    for fields in [
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: identity\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: 5, 5\r\n",
        "Content-Length: 0x5\r\n",
        "Content-Length: 99999999999999999999\r\n",
        "Content-Length: \r\n",
    ] {
        assert_eq!(judged("POST /keys/v1/messages", fields), Some(Err(KeyRefusal::Framing)), "{fields}");
    }
}

#[test]
fn a_minute_has_an_end() {
    let mut pace = KeyPace::default();
    assert!((0..MOST).all(|_| pace.admits(59)));
    assert!(!pace.admits(59));
    assert!(pace.admits(60));
}

#[test]
fn a_listed_name_is_not_nearly_everything() {
    use crate::core::guard::key::fields::FieldName;
    for (name, is_one) in [
        ("anthropic-version", true),
        ("x-stainless-*", true),
        ("session_id", true),
        ("*", false),
        ("x-*", false),
        ("", false),
        ("A", false),
        ("a*b", false),
        ("a b", false),
        ("a\r\nb", false),
    ] {
        assert_eq!(name.parse::<FieldName>().is_ok(), is_one, "{name:?}");
    }
}
