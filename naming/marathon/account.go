package marathon

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
)

// ErrCredential is in the chain of the error of a Config.DCOS that cannot be used.
// Its text shows nothing of the credential but the uid, the scheme and the
// endpoint.
var ErrCredential = errors.New("DCOS_SERVICE_ACCOUNT_CREDENTIAL")

// rs256 is the only scheme: RSASSA-PKCS1-v1_5 with SHA-256, RFC 7518.
const rs256 = "RS256"

// account is a service account of DC/OS.
type account struct {
	uid  string
	path string // of the login
	key  *rsa.PrivateKey
}

// parseAccount reads a credential.
func parseAccount(credential string) (account, error) {
	fail := func(format string, args ...any) (account, error) {
		return account{}, fmt.Errorf("marathon: %w: "+format, append([]any{ErrCredential}, args...)...)
	}
	var doc struct {
		Endpoint   string `json:"login_endpoint"`
		PrivateKey string `json:"private_key"`
		Scheme     string `json:"scheme"`
		UID        string `json:"uid"`
	}
	if json.Unmarshal([]byte(credential), &doc) != nil { // its text could quote the key
		return fail("want a JSON object with the strings login_endpoint, private_key, scheme and uid")
	}
	if doc.Scheme != rs256 {
		return fail("scheme: %q: want %s", doc.Scheme, rs256)
	}
	if doc.UID == "" {
		return fail("uid: is missing")
	}
	endpoint, err := url.Parse(doc.Endpoint)
	if err != nil || endpoint.Path == "" || endpoint.Path[0] != '/' {
		return fail("login_endpoint: %q: want a URL with a path", doc.Endpoint)
	}
	key, err := parseKey(doc.PrivateKey)
	if err != nil {
		return fail("private_key: %w", err)
	}
	return account{uid: doc.UID, path: endpoint.EscapedPath(), key: key}, nil
}

// parseKey reads an RSA key in PEM, in either of the two forms there are.
func parseKey(text string) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("want a private key in PEM")
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("want an RSA key, in PKCS #8 or PKCS #1")
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("is a %T: want an RSA key", parsed)
	}
	return key, nil
}

// request returns the body of a login: the uid, and that as a JSON Web Token.
func (a account) request() ([]byte, error) {
	token, err := a.sign()
	if err != nil {
		return nil, err
	}
	return json.Marshal(struct {
		UID   string `json:"uid"`
		Token string `json:"token"`
	}{a.uid, token})
}

// sign makes a JSON Web Token (RFC 7519) that claims the uid.
func (a account) sign() (string, error) {
	claims, err := json.Marshal(struct {
		UID string `json:"uid"`
	}{a.uid})
	if err != nil {
		return "", fmt.Errorf("claims: %w", err)
	}
	b64 := base64.RawURLEncoding
	text := b64.EncodeToString([]byte(`{"alg":"`+rs256+`","typ":"JWT"}`)) + "." + b64.EncodeToString(claims)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, a.key, crypto.SHA256, sum[:])
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	return text + "." + b64.EncodeToString(signature), nil
}
