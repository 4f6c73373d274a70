package marathon_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/naming/marathon"
)

const web = "/#/io.l5d.marathon/web 1.2.3.4:1"

func TestBasicAuth(t *testing.T) {
	inWorld(t, marathon.Config{BasicAuth: "dXNlcjpwYXNz"}, marathon.Options{}, func(w *world) {
		w.list("/web")
		w.app("/web", task("1.2.3.4", 1))
		w.change(func() { w.check = func(*http.Request) bool { return false } })
		x := w.watch("/web")
		w.pass(3 * time.Minute)
		assert.Equal(t, "failed", x.text())
		require.ErrorContains(t, x.err(), "401")
		assert.Equal(t, 1, w.logs.count("level=WARN"), "%v", w.logs)
		w.change(func() {
			w.check = func(r *http.Request) bool { return r.Header.Get("Authorization") == "Basic dXNlcjpwYXNz" }
		})
		w.pass(ttl)
		assert.Equal(t, web, x.text())
		assert.NotContains(t, w.logs.String(), "dXNlcjpwYXNz")
	})
}

// dcos is the login of DC/OS, which gives out one token after the other.
type dcos struct {
	t   *testing.T
	key *rsa.PublicKey

	mu     sync.Mutex
	logins int
	token  string // the one that is valid
	refuse bool
	broken bool // gives tokens that are not valid
}

// answer is what a login gets, after its signature was checked.
func (d *dcos) answer(body []byte) said {
	var doc struct{ UID, Token string }
	assert.NoError(d.t, json.Unmarshal(body, &doc))
	assert.Equal(d.t, "linkerd", doc.UID)
	parts := strings.Split(doc.Token, ".")
	if assert.Len(d.t, parts, 3) {
		sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
		signature, err := base64.RawURLEncoding.DecodeString(parts[2])
		assert.NoError(d.t, err)
		assert.NoError(d.t, rsa.VerifyPKCS1v15(d.key, crypto.SHA256, sum[:], signature))
		for i, want := range []string{`{"alg":"RS256","typ":"JWT"}`, `{"uid":"linkerd"}`} {
			got, err := base64.RawURLEncoding.DecodeString(parts[i])
			assert.NoError(d.t, err)
			assert.JSONEq(d.t, want, string(got))
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.logins++
	if d.refuse {
		return said{status: http.StatusUnauthorized, body: `{"title":"Unauthorized"}`}
	}
	d.token = fmt.Sprintf("token-%d", d.logins)
	if d.broken {
		return said{body: `{"token":"of-no-use"}`}
	}
	return said{body: fmt.Sprintf(`{"token":%q}`, d.token)}
}

func (d *dcos) check(r *http.Request) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.token != "" && r.Header.Get("Authorization") == "token="+d.token
}

func (d *dcos) set(change func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change()
}

func (d *dcos) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.logins
}

// credential returns a new key and the credential with it.
func credential(t *testing.T, pkcs1 bool) (key *rsa.PrivateKey, text string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	block := pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
	if !pkcs1 {
		block.Type = "PRIVATE KEY"
		block.Bytes, err = x509.MarshalPKCS8PrivateKey(key)
		require.NoError(t, err)
	}
	return key, account(t, "https://leader.mesos/acs/api/v1/auth/login", "RS256", "linkerd", string(pem.EncodeToMemory(&block)))
}

func account(t *testing.T, endpoint, scheme, uid, key string) string {
	t.Helper()
	text, err := json.Marshal(map[string]string{"login_endpoint": endpoint, "scheme": scheme, "uid": uid, "private_key": key})
	require.NoError(t, err)
	return string(text)
}

func inDCOS(t *testing.T, pkcs1 bool, test func(w *world, d *dcos)) {
	t.Helper()
	key, text := credential(t, pkcs1)
	c := marathon.Config{URIPrefix: "marathon/", BasicAuth: "not-used", DCOS: text}
	inWorld(t, c, marathon.Options{}, func(w *world) {
		d := &dcos{t: t, key: &key.PublicKey}
		w.change(func() { w.login, w.check = d.answer, d.check })
		for path, body := range map[string]string{
			"/marathon/v2/apps":                     `{"apps":[{"id":"/web"},{"id":"/b"},{"id":"/c"}]}`,
			"/marathon/v2/apps/b?embed=app.tasks":   `{"app":{"id":"/b","tasks":[` + task("1.2.3.4", 2) + `]}}`,
			"/marathon/v2/apps/c?embed=app.tasks":   `{"app":{"id":"/c","tasks":[` + task("1.2.3.4", 3) + `]}}`,
			"/marathon/v2/apps/web?embed=app.tasks": `{"app":{"id":"/web","tasks":[` + task("1.2.3.4", 1) + `]}}`,
		} {
			w.say(path, said{body: body})
		}
		test(w, d)
		assert.NotContains(t, w.logs.String(), "PRIVATE")
		assert.NotContains(t, w.logs.String(), "token-")
	})
}

func TestLogin(t *testing.T) {
	for _, pkcs1 := range []bool{true, false} {
		inDCOS(t, pkcs1, func(w *world, d *dcos) {
			all := []*watched{w.watch("/web"), w.watch("/b"), w.watch("/c")}
			w.pass(0)
			assert.Equal(t, web, all[0].text())
			for _, x := range all {
				x.text()
			}
			assert.Equal(t, 1, w.count("/acs/api/v1/auth/login"))
			w.pass(10 * time.Minute)
			assert.Equal(t, 1, d.count(), "the token is kept")

			for i := range 8 { // the token's time is over, for all at once
				d.set(func() { d.token = "another" })
				w.pass(ttl)
				assert.Equal(t, web, all[0].text())
				assert.Equal(t, 2+i, d.count(), "one login for all")
			}
			assert.Zero(t, w.logs.count("WARN"), "%v", w.logs)
			w.mu.Lock()
			defer w.mu.Unlock()
			for i, h := range w.headers {
				assert.NotContains(t, h.Get("Authorization"), "not-used")
				assert.Equal(t, "marathon.mesos", w.hosts[i])
			}
		})
	}
}

func TestWrongCredentialsThenRight(t *testing.T) {
	inDCOS(t, false, func(w *world, d *dcos) {
		d.set(func() { d.refuse = true })
		x := w.watch("/web")
		w.pass(3 * time.Minute)
		assert.Equal(t, "failed", x.text())
		require.ErrorContains(t, x.err(), `login to DC/OS as "linkerd"`)
		assert.Equal(t, 1, w.logs.count("level=WARN"), "%v", w.logs)
		assert.Zero(t, w.count("/marathon/v2/apps"))
		assert.Less(t, d.count(), 30)
		d.set(func() { d.refuse = false })
		w.pass(15 * time.Second)
		assert.Equal(t, web, x.text())

		// Once known, the endpoints outlive the account.
		d.set(func() { d.refuse, d.token = true, "another" })
		w.pass(3 * time.Minute)
		assert.Equal(t, web+" (stale)", x.text())
		d.set(func() { d.refuse = false })
		w.pass(15 * time.Second)
		assert.Equal(t, web, x.text())
	})
}

func TestTokensThatAreNotAccepted(t *testing.T) {
	inDCOS(t, false, func(w *world, d *dcos) {
		d.set(func() { d.broken = true })
		x := w.watch("/web")
		w.pass(3 * time.Minute)
		assert.Equal(t, "failed", x.text())
		require.ErrorContains(t, x.err(), "401")
		assert.Less(t, d.count(), 30, "logins are spaced, however many ask")
		assert.LessOrEqual(t, w.logs.count("level=WARN"), 4, "%v", w.logs)
		d.set(func() { d.broken = false })
		w.pass(15 * time.Second)
		assert.Equal(t, web, x.text())
	})
}

func TestLoginsThatAreGarbled(t *testing.T) {
	inDCOS(t, false, func(w *world, d *dcos) {
		x := w.watch("/web")
		w.change(func() { w.login = func([]byte) said { return said{body: `{"token":7,"secret":"token-x"}`} } })
		w.pass(time.Minute)
		assert.Equal(t, "failed", x.text())
		require.ErrorContains(t, x.err(), "unintelligible answer")
		for _, body := range []string{"", "null", "{}", `{"token":""}`, `{"token":"a\nb"}`, `{"token":"a b"}`} {
			w.change(func() { w.login = func([]byte) said { return said{body: body} } })
			w.pass(time.Minute)
			assert.Equal(t, "failed", x.text(), body)
		}
		w.change(func() { w.login = d.answer })
		w.pass(15 * time.Second)
		assert.Equal(t, web, x.text())
	})
}

func TestCredentials(t *testing.T) {
	_, good := credential(t, false)
	var doc map[string]string
	require.NoError(t, json.Unmarshal([]byte(good), &doc))
	key := doc["private_key"]
	for text, want := range map[string]string{
		"x": "want a JSON object",
		"7": "want a JSON object",
		account(t, "https://h/login", "HS256", "u", key):                          `scheme: "HS256": want RS256`,
		account(t, "https://h/login", "RS256", "", key):                           "uid: is missing",
		account(t, "https://h", "RS256", "u", key):                                `login_endpoint: "https://h": want a URL with a path`,
		account(t, ":", "RS256", "u", key):                                        `login_endpoint: ":"`,
		account(t, "/login", "RS256", "u", "SECRET"):                              "private_key: want a private key in PEM",
		account(t, "/login", "RS256", "u", strings.Replace(key, "MII", "AII", 1)): "private_key: want an RSA key",
	} {
		_, err := marathon.New(marathon.Config{DCOS: text}, marathon.Options{})
		require.ErrorIs(t, err, marathon.ErrCredential)
		require.ErrorContains(t, err, want)
		assert.NotContains(t, err.Error(), "SECRET")
	}
	n, err := marathon.New(marathon.Config{DCOS: account(t, "/login", "RS256", "u", key)}, marathon.Options{})
	require.NoError(t, err)
	require.NoError(t, n.Close())
}
