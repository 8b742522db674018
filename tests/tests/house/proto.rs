//! As much of the protocol buffers language as the rules read: services with their methods, messages with their fields.

/// A name and its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) line: usize,
}

pub(crate) struct Service {
    pub(crate) name: Name,
    pub(crate) methods: Vec<Name>,
}

pub(crate) struct Message {
    pub(crate) name: Name,
    /// Type and name.
    pub(crate) fields: Vec<(String, Name)>,
}

#[derive(Default)]
pub(crate) struct Proto {
    pub(crate) services: Vec<Service>,
    pub(crate) messages: Vec<Message>,
}

/// What a brace opened.
enum Block {
    Service,
    Message(usize),
    Other,
}

impl Proto {
    /// Reads a contract.
    pub(crate) fn parse(text: &str) -> Proto {
        let tokens = tokens(text);
        let (mut proto, mut open) = (Proto::default(), Vec::new());
        for (at, token) in tokens.iter().enumerate() {
            let word = |back: usize| at.checked_sub(back).and_then(|at| tokens.get(at));
            match token.text.as_str() {
                "{" => open.push(proto.opened(word(2), word(1), &open)),
                "}" => drop(open.pop()),
                "rpc" => {
                    let methods = proto.services.last_mut().filter(|_| matches!(open.last(), Some(Block::Service)));
                    if let (Some(service), Some(name)) = (methods, tokens.get(at + 1)) {
                        service.methods.push(name.clone());
                    }
                }
                "=" => {
                    if let (Some(Block::Message(message)), Some(kind), Some(name)) = (open.last(), word(2), word(1)) {
                        proto.messages[*message].fields.push((kind.text.clone(), name.clone()));
                    }
                }
                _ => {}
            }
        }
        proto
    }

    fn opened(&mut self, keyword: Option<&Name>, name: Option<&Name>, open: &[Block]) -> Block {
        match (keyword.map(|keyword| keyword.text.as_str()), name) {
            (Some("service"), Some(name)) => {
                self.services.push(Service { name: name.clone(), methods: Vec::new() });
                Block::Service
            }
            (Some("message"), Some(name)) => {
                self.messages.push(Message { name: name.clone(), fields: Vec::new() });
                Block::Message(self.messages.len() - 1)
            }
            // The alternatives of a oneof are fields of its message.
            (Some("oneof"), _) => match open.last() {
                Some(Block::Message(message)) => Block::Message(*message),
                _ => Block::Other,
            },
            _ => Block::Other,
        }
    }
}

fn tokens(text: &str) -> Vec<Name> {
    let mut tokens = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        let mut word = String::new();
        for letter in code.chars().chain([' ']) {
            if letter.is_ascii_alphanumeric() || "_.".contains(letter) {
                word.push(letter);
                continue;
            }
            let whole = std::mem::take(&mut word);
            let mark = if letter.is_whitespace() { String::new() } else { letter.to_string() };
            tokens.extend(
                [whole, mark].into_iter().filter(|t| !t.is_empty()).map(|text| Name { text, line: number + 1 }),
            );
        }
    }
    tokens
}

/// A method's name as tonic writes it in Rust: a new word at a capital that follows a small letter, or that a small
/// letter follows; digits belong to the word before.
pub(crate) fn snake(name: &str) -> String {
    let letters: Vec<_> = name.chars().collect();
    let mut snake = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| letters.get(at));
        let after = letters.get(at + 1);
        let lower = |letter: Option<&char>| letter.is_some_and(char::is_ascii_lowercase);
        let upper = |letter: Option<&char>| letter.is_some_and(char::is_ascii_uppercase);
        if letter.is_ascii_uppercase() && (lower(before) || (upper(before) && lower(after))) {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

#[test]
fn services_messages_and_fields_are_read() {
    let proto = Proto::parse(
        "// service Not { rpc A(B) returns (C); }\nservice S {\n  rpc Do(A) returns (stream B);\n}\n\
         message A { optional string x = 1; oneof y { B z = 2; } message In { bytes k = 1; } repeated uint32 n = 3; }\n\
         enum E { E_ZERO = 0; }\n",
    );
    let methods: Vec<_> = proto.services.iter().flat_map(|s| &s.methods).map(|m| (m.text.as_str(), m.line)).collect();
    assert_eq!((proto.services.len(), methods), (1, vec![("Do", 3)]));
    let fields = |at: usize| -> Vec<_> {
        proto.messages[at].fields.iter().map(|(kind, name)| format!("{kind} {}", name.text)).collect()
    };
    assert_eq!(fields(0), ["string x", "B z", "uint32 n"]);
    assert_eq!((proto.messages.len(), fields(1)), (2, vec!["bytes k".to_owned()]));
}

#[test]
fn methods_are_named_as_tonic_names_them() {
    for (name, expected) in
        [("OpenSession", "open_session"), ("FetchX509SVID", "fetch_x509svid"), ("HumanSvid", "human_svid")]
    {
        assert_eq!(snake(name), expected);
    }
}
