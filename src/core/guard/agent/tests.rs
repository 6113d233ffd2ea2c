use super::*;

fn string(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
}

fn strings(parts: &[&[u8]]) -> Vec<u8> {
    parts.iter().flat_map(|part| string(part)).collect()
}

fn login(session: &[u8], key: &[u8], host: Option<&[u8]>) -> Vec<u8> {
    let method: &[u8] = if host.is_some() { b"publickey-hostbound-v00@openssh.com" } else { b"publickey" };
    let mut data =
        [string(session), vec![LOGIN], strings(&[b"me", b"ssh-connection", method]), vec![1], strings(&[b"ssh-ed25519", key])].concat();
    data.extend(host.map(string).unwrap_or_default());
    data
}

fn sign(key: &[u8], data: &[u8]) -> Vec<u8> {
    [vec![SIGN], strings(&[key, data]), vec![0; 4]].concat()
}

fn sshsig(namespace: &[u8]) -> Vec<u8> {
    [b"SSHSIG".to_vec(), strings(&[namespace, b"", b"sha512", &[1; 64]])].concat()
}

fn bind(host: &[u8], session: &[u8], forwarding: u8) -> Vec<u8> {
    [vec![EXTENSION], strings(&[b"session-bind@openssh.com", host, session, b"sig"]), vec![forwarding]].concat()
}

fn rules() -> AgentRules {
    let set = |key: &[u8]| Some(BTreeSet::from([key.to_vec()]));
    AgentRules { keys: set(b"mine"), hosts: set(b"host"), sign: vec!["git".into()] }
}

fn bound() -> Vec<BoundSession> {
    vec![BoundSession { session: b"s".to_vec(), host: b"host".to_vec() }]
}

#[track_caller]
fn refused(bound: &[BoundSession], request: &[u8], words: &str) {
    assert_eq!(rules().judge(bound, request), AgentStep::Refuse(words.into()));
}

// GU-02, Z-079
#[test]
fn a_login_is_signed_for_a_host_that_was_proven() {
    for host in [None, Some(&b"host"[..])] {
        let request = sign(b"mine", &login(b"s", b"mine", host));
        assert_eq!(rules().judge(&bound(), &request), AgentStep::Sign("a login as me".into()));
        refused(&[], &request, "a login to a host that is not in your known_hosts");
    }
    refused(&bound(), &sign(b"mine", &login(b"other", b"mine", None)), "a login to a host that is not in your known_hosts");
    let other = login(b"s", b"mine", Some(b"evil"));
    refused(&bound(), &sign(b"mine", &other), "a login to another host than the one that was proven");
    let any = AgentRules { hosts: None, ..rules() };
    assert_eq!(any.judge(&[], &sign(b"mine", &login(b"s", b"mine", None))), AgentStep::Sign("a login as me".into()));
}

#[test]
fn only_a_known_host_binds_a_session() {
    assert_eq!(rules().judge(&[], &bind(b"host", b"s", 0)), AgentStep::Bind(bound().pop()));
    assert_eq!(rules().judge(&[], &bind(b"evil", b"s", 0)), AgentStep::Bind(None));
    assert_eq!(rules().judge(&[], &bind(b"host", b"s", 1)), AgentStep::Bind(None));
    refused(&[], &[bind(b"host", b"s", 0), vec![0]].concat(), "an extension");
    refused(&[], &[vec![EXTENSION], string(b"query")].concat(), "an extension");
    assert!(is_success(&[6]) && !is_success(&[5]) && !is_success(&[6, 6]) && !is_success(&[]));
}

#[test]
fn files_are_signed_for_git_alone() {
    assert_eq!(rules().judge(&[], &sign(b"mine", &sshsig(b"git"))), AgentStep::Sign("a signature for git".into()));
    refused(&[], &sign(b"mine", &sshsig(b"file")), "a signature for `file`");
    refused(&[], &sign(b"mine", &[sshsig(b"git"), vec![0]].concat()), "a signature over something unknown");
    refused(&[], &sign(b"theirs", &sshsig(b"git")), "a signature by a key that is not chosen");
}

#[test]
fn everything_else_is_refused() {
    refused(&bound(), &sign(b"mine", b"anything"), "a signature over something unknown");
    let trailing = [login(b"s", b"mine", None), vec![0]].concat();
    refused(&bound(), &sign(b"mine", &trailing), "a signature over something unknown");
    refused(&bound(), &sign(b"mine", &login(b"s", b"theirs", None)), "a signature over something unknown");
    refused(&bound(), &sign(b"mine", &login(b"", b"mine", None)), "a signature over something unknown");
    refused(&bound(), &[SIGN, 0, 0, 0, 9], "a signature that was asked for in a broken way");
    refused(&bound(), &[SIGN, 0xff, 0xff, 0xff, 0xff], "a signature that was asked for in a broken way");
    for (code, words) in
        [(17, "to add a key"), (18, "to remove keys"), (19, "to remove keys"), (22, "to lock the agent"), (1, "an unknown request")]
    {
        refused(&bound(), &[code], words);
    }
    refused(&bound(), &[LIST, 0], "an unknown request");
    refused(&bound(), &[], "an unknown request");
}

#[test]
fn a_list_names_chosen_keys_and_nothing_about_them() {
    let list = |count: u8, parts: &[&[u8]]| [vec![LISTED, 0, 0, 0, count], strings(parts)].concat();
    let answer = list(2, &[b"mine", b"/home/me/.ssh/id", b"theirs", b"me@work"]);
    assert_eq!(rules().chosen(&answer), list(1, &[b"mine", b"key"]));
    assert_eq!(AgentRules { keys: None, ..rules() }.chosen(&answer), list(2, &[b"mine", b"key", b"theirs", b"key"]));
    for broken in [&answer[..answer.len() - 1], &[LISTED, 0, 0, 0, 3][..], &[5], &[]] {
        assert_eq!(rules().chosen(broken), FAILURE);
    }
}

#[test]
fn keys_are_found_in_every_kind_of_file() {
    let text = "# c\nhost,1.2.3.4 ssh-ed25519 AAAAZm9v me\n|1|a=|b= ssh-rsa AAAAYmFy\n@revoked x ssh-rsa AAAAZ2Fw\n@cert-authority * ssh-rsa AAAAZ2Fw\n";
    let keys: Vec<Vec<u8>> = keys_in(text).into_iter().collect();
    assert_eq!(keys, [b"\0\0\0bar".to_vec(), b"\0\0\0foo".to_vec()]);
    assert_eq!(keys_in("ssh-ed25519 AAAAZm9v me@x\n").len(), 1);
    assert!(keys_in("").is_empty());
}
