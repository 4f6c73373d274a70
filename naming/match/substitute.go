package match

import "strings"

// Substitute replaces every {name} in text by what captures holds for it. Names
// that captures does not hold are left as they are.
func Substitute(captures map[string]string, text string) string {
	if len(captures) == 0 {
		return text
	}
	var out strings.Builder
	for {
		before, name, after, ok := cutName(text)
		out.WriteString(before)
		if !ok {
			return out.String()
		}
		if v, known := captures[name]; known {
			out.WriteString(v)
		} else {
			out.WriteString("{" + name + "}")
		}
		text = after
	}
}

// cutName splits s around its first {name}. Without one, before is all of s.
func cutName(s string) (before, name, after string, ok bool) {
	for i := range len(s) {
		if s[i] != '{' {
			continue
		}
		end := i + 1
		for end < len(s) && isNameByte(s[end]) {
			end++
		}
		if end > i+1 && end < len(s) && s[end] == '}' {
			return s[:i], s[i+1 : end], s[end+1:], true
		}
	}
	return s, "", "", false
}

// isNameByte reports whether c is in the character class [a-zA-Z0-9.:-_] of the
// original, whose ":-_" is a range.
func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c >= ':' && c <= '_'
}
