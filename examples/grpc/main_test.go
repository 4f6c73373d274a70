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
	assert.Regexp(t, `^unary: shop got: users, (9|10)s left
unary with /svc/users => /svc/users-v2: shop got: users-v2, (9|10)s left
stream with /svc/users => /svc/users-v2: shop got: users-v2 #1
stream with /svc/users => /svc/users-v2: shop got: users-v2 #2
stream with /svc/users => /svc/users-v2: shop got: users-v2 #3
nobody: code Unavailable, stage bind
$`, out.String())
}
