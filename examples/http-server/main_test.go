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
	assert.Regexp(t, `^plain caller: shop got: I am users, no deadline
with -H "l5d-dtab: /svc/users => /svc/users-v2": shop got: I am users-v2, no deadline
caller with 10 s and trace 00000000c0ffee00: shop got: I am users, (9|10)s left, trace 00000000c0ffee00
$`, out.String())
}
