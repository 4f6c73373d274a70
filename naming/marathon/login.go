package marathon

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

const (
	// minLogins and maxLogins bound the time between two logins that did no good. It
	// doubles from the one to the other.
	minLogins = time.Second
	maxLogins = 10 * time.Second
)

// errLogin is in the chain of the error of a question that was not asked because
// nobody is logged in.
var errLogin = errors.New("login to DC/OS")

// errRefusedToken is why there is no login yet again after one that did no good.
var errRefusedToken = errors.New("the token it gave is not accepted")

// login holds the token of a service account of DC/OS. It is safe for concurrent
// use.
type login struct {
	account account
	turn    chan struct{} // held while logging in

	mu      sync.Mutex
	current string        // the token; empty before the first login
	next    time.Time     // no login before that
	spacing time.Duration // of logins that did no good; 0 after one that did
	err     error         // of the last login
}

func newLogin(credential string) (*login, error) {
	a, err := parseAccount(credential)
	if err != nil {
		return nil, err
	}
	return &login{account: a, turn: make(chan struct{}, 1)}, nil
}

// token returns a token that is not the rejected one. It logs in with post if need
// be, and fails at once if the last login that did no good is not long ago.
func (l *login) token(ctx context.Context, rejected string, post func(context.Context, string, []byte) ([]byte, error)) (string, error) {
	select {
	case l.turn <- struct{}{}:
	case <-ctx.Done():
		return "", fmt.Errorf("marathon: %w: %w", errLogin, context.Cause(ctx))
	}
	defer func() { <-l.turn }()
	token, err := l.known(rejected)
	if token != "" || err != nil {
		return token, err
	}
	request, err := l.account.request()
	if err != nil {
		return "", fmt.Errorf("marathon: %w: %w", errLogin, err)
	}
	answer, err := post(ctx, l.account.path, request)
	if err == nil {
		token, err = decodeToken(answer)
	}
	if err != nil {
		err = fmt.Errorf("marathon: %w as %q: %w", errLogin, l.account.uid, err)
	}
	l.note(token, err)
	return token, err
}

// known returns the token if it is not the rejected one, or an error if it is too
// early for another.
func (l *login) known(rejected string) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.current != rejected {
		return l.current, nil
	}
	if time.Now().Before(l.next) {
		return "", cmp.Or(l.err, fmt.Errorf("marathon: %w as %q: %w", errLogin, l.account.uid, errRefusedToken))
	}
	return "", nil
}

// note takes the outcome of a login. Failures to ask are not held against the
// account.
func (l *login) note(token string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, answered := errors.AsType[*StatusError](err); err == nil || answered {
		l.spacing = min(max(2*l.spacing, minLogins), maxLogins)
		l.next = time.Now().Add(l.spacing)
	}
	l.err = err
	if err == nil {
		l.current = token
	}
}

// accepted notes that a token is good.
func (l *login) accepted(token string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if token == l.current {
		l.spacing, l.next = 0, time.Time{}
	}
}

// decodeToken reads the answer to a login.
func decodeToken(body []byte) (string, error) {
	var answer struct {
		Token string `json:"token"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return "", fmt.Errorf("%w: want JSON", errGarbled) // the error could quote a token
	}
	if answer.Token == "" || strings.ContainsFunc(answer.Token, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return "", fmt.Errorf(`%w: want an object with "token"`, errGarbled)
	}
	return answer.Token, nil
}
