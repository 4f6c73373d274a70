package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRun(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out))
	assert.Equal(t, `GET http://users/: hello from users
the rules are /svc=>/#/static;/svc/users=>/svc/users-v2
GET http://users/: hello from users-v2
history: to v2, by deploy; +1 rule
`, out.String())
}
