package dtabcmd

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// parseTOML reads the values at the top of a TOML document that are strings, booleans
// or numbers. What stands in tables is not looked at, and what this subset does not
// have, such as arrays and strings of several lines at the top, is an error.
func parseTOML(text string) (map[string]string, error) {
	values := map[string]string{}
	n := 0
	for line := range strings.SplitSeq(text, "\n") {
		n++
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			return values, nil // tables go on to the end
		}
		if line == "" || line[0] == '#' {
			continue
		}
		k, v, err := tomlPair(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if _, twice := values[k]; twice {
			return nil, fmt.Errorf("line %d: %s is there twice", n, k)
		}
		values[k] = v
	}
	return values, nil
}

var errTOML = errors.New(`want KEY = "VALUE", KEY = true or KEY = 1; other TOML is not understood here`)

func tomlPair(line string) (k, v string, err error) {
	k, rest, err := tomlToken(line, "=")
	if err != nil || k == "" {
		return "", "", errTOML
	}
	rest = strings.TrimSpace(rest)
	if rest = strings.TrimPrefix(rest, "="); rest == "" {
		return "", "", errTOML
	}
	rest = strings.TrimSpace(rest)
	quoted := rest != "" && (rest[0] == '"' || rest[0] == '\'')
	v, rest, err = tomlToken(rest, "#")
	if err != nil {
		return "", "", err
	}
	if rest = strings.TrimSpace(rest); rest != "" && rest[0] != '#' {
		return "", "", errTOML
	}
	if _, err := strconv.ParseFloat(v, 64); !quoted && err != nil && v != "true" && v != "false" {
		return "", "", errTOML
	}
	return strings.ToLower(k), v, nil
}

// tomlToken reads a bare word that ends before end or a blank, or a string.
func tomlToken(s, end string) (token, rest string, err error) {
	switch {
	case strings.HasPrefix(s, `"""`), strings.HasPrefix(s, `'''`):
		return "", "", errTOML
	case strings.HasPrefix(s, `'`):
		token, rest, ok := strings.Cut(s[1:], `'`)
		if !ok {
			return "", "", errTOML
		}
		return token, rest, nil
	case strings.HasPrefix(s, `"`):
		quoted, err := strconv.QuotedPrefix(s)
		if err != nil {
			return "", "", errTOML
		}
		// Of Go's escapes TOML lacks \a, \v, \x and octal ones.
		for i := 0; i < len(quoted); i++ {
			if quoted[i] != '\\' {
				continue
			}
			if i++; strings.IndexByte(`btnfr"\uU`, quoted[i]) < 0 {
				return "", "", errTOML
			}
		}
		token, err = strconv.Unquote(quoted)
		return token, s[len(quoted):], err
	}
	at := strings.IndexAny(s, end+" \t")
	if at < 0 {
		at = len(s)
	}
	return s[:at], s[at:], nil
}
