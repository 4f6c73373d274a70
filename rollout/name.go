package rollout

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/user"
	"strings"
)

// longestName keeps the names of namespaces below what stores can have.
const longestName = 40

// StateNamespace returns the namespace that has the state of a rollout:
// <namespace>-rollout-<rule>, with the rule in small letters, digits and hyphens.
// Rules that are more than that get a part of their hash appended, so that no two
// share one.
func StateNamespace(id ID) string {
	var b strings.Builder
	plain := true
	for i, c := range strings.TrimPrefix(id.Rule.String(), "/") {
		switch {
		case i >= longestName:
			plain = false
		case 'a' <= c && c <= 'z' || '0' <= c && c <= '9':
			b.WriteRune(c)
		case c == '/':
			b.WriteByte('-')
		case 'A' <= c && c <= 'Z':
			b.WriteRune(c - 'A' + 'a')
			plain = false
		default:
			b.WriteByte('-')
			plain = false
		}
	}
	name := strings.Trim(b.String(), "-")
	if !plain {
		sum := sha256.Sum256([]byte(id.Rule.String()))
		name = strings.TrimPrefix(strings.TrimRight(name, "-")+"-"+hex.EncodeToString(sum[:4]), "-")
	}
	return id.Namespace + "-rollout-" + name
}

// newToken returns what tells this run from every other one.
func newToken() string { return strings.ToLower(rand.Text()) }

// processName says who runs a rollout.
func processName() string {
	who := "somebody"
	if u, err := user.Current(); err == nil && u.Username != "" {
		who = u.Username
	}
	host, err := os.Hostname()
	if err != nil {
		host = "an unknown host"
	}
	return fmt.Sprintf("%s on %s, process %d", who, host, os.Getpid())
}
