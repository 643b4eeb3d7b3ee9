//! Reads the attributes of an observation: a flat JSON object of texts, numbers and booleans.

/// Whether the attribute `name` is the text `value`. Neither may need an escape in JSON.
pub fn attributes_say(attributes: &str, name: &str, value: &str) -> bool {
    let (mut rest, mut named) = (attributes, false);
    while let Some((between, string)) = rest.split_once('"') {
        let (inner, after) = split_string(string);
        let is_value = between.trim_end().ends_with(':');
        if is_value && named && inner == value {
            return true;
        }
        named = !is_value && inner == name;
        rest = after;
    }
    false
}

/// What of a JSON string stands before its closing quote, and what comes after that.
fn split_string(string: &str) -> (&str, &str) {
    let mut escaped = false;
    let end = string.bytes().position(|byte| {
        let is_end = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        is_end
    });
    end.map_or((string, ""), |end| (&string[..end], &string[end + 1..]))
}
