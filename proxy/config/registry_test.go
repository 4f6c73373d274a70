package config_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/proxy/config"
)

type greeter struct {
	Word string `yaml:"word" weft:"required"`
}

type env struct{ name string }

func greet(c greeter, e env) (string, error) {
	if c.Word == "" {
		return "", errors.New("no word")
	}
	return c.Word + " " + e.name, nil
}

func TestBuild(t *testing.T) {
	r, err := config.NewRegistry(
		config.Define(config.RoleNamer, "greet", greet, config.Traits{DefaultPrefix: "/hi"}),
		config.Declare[struct{}](config.RoleNamer, "later", config.Traits{}),
		config.Define(config.RoleProtocol, "http", func(struct{}, int) (int, error) { return 7, nil }, config.Traits{}),
	)
	require.NoError(t, err)
	l, err := config.Load("", []byte("namers: [{kind: greet, word: hello}, {kind: greet, word: ho, prefix: /x}]\n"+good), config.Options{Registry: r})
	require.NoError(t, err)
	assert.Equal(t, "/hi", l.Namers[0].Prefix.String())
	assert.Equal(t, "/x", l.Namers[1].Prefix.String())
	assert.Equal(t, greeter{Word: "hello"}, l.Namers[0].Config)
	assert.Equal(t, "namers[1]", l.Namers[1].Path())

	text, err := config.Build[string](l.Namers[0], env{"you"})
	require.NoError(t, err)
	assert.Equal(t, "hello you", text)
	n, err := config.Build[int](l.Routers[0].Part(), 1)
	require.NoError(t, err)
	assert.Equal(t, 7, n)

	_, err = config.Build[int](l.Namers[0], env{})
	assert.EqualError(t, err, "config: namers[0]: namer greet makes a string, want a int")
	_, err = config.Build[string](l.Namers[0], 3)
	assert.EqualError(t, err, "config: namers[0]: namer greet: config: namer greet: is built from a config_test.env, got int")
	_, err = config.Build[string](config.Part{}, env{})
	assert.EqualError(t, err, "config: nothing is configured that makes a string")

	p, err := r.Part(config.RoleNamer, "greet", greeter{})
	require.NoError(t, err)
	assert.Equal(t, "/hi", p.Prefix.String())
	_, err = config.Build[string](p, env{})
	assert.ErrorContains(t, err, "no word")
	_, err = r.Part(config.RoleNamer, "greet", 3)
	assert.EqualError(t, err, `config: namer "greet": want a configuration of type config_test.greeter, got int`)
	_, err = r.Part(config.RoleNamer, "great", greeter{})
	assert.EqualError(t, err, `config: unknown namer kind "great" (did you mean "greet"?); known are greet, later`)
	later, err := r.Part(config.RoleNamer, "later", struct{}{})
	require.NoError(t, err)
	_, err = config.Build[string](later, env{})
	assert.ErrorContains(t, err, `kind "later" is known to Linkerd 1.x but this version of weft does not implement it yet`)
}

func TestRegistryConflicts(t *testing.T) {
	built := config.Define(config.RoleNamer, "greet", greet, config.Traits{})
	declared := config.Declare[struct{}](config.RoleNamer, "greet", config.Traits{})

	for _, entries := range [][]config.Entry{{declared, built}, {built, declared}} {
		r, err := config.NewRegistry(entries...)
		require.NoError(t, err)
		e, ok := r.Lookup(config.RoleNamer, "greet")
		require.True(t, ok)
		assert.True(t, e.Built(), "what is built takes the place of what is declared")
		assert.Len(t, r.Entries(), 1)
	}
	_, err := config.NewRegistry(built, built)
	assert.EqualError(t, err, `config: conflicting subtypes: two plug-ins claim the namer kind "greet"`)
	_, err = config.NewRegistry(config.Declare[int](config.RoleNamer, "x", config.Traits{}))
	assert.EqualError(t, err, `config: namer "x": its configuration must be a struct, not int`)
	_, err = config.NewRegistry(config.Declare[struct{}](config.RoleNamer, "x", config.Traits{DefaultPrefix: "x"}))
	assert.ErrorContains(t, err, "default prefix")
	_, err = config.NewRegistry(config.Declare[struct {
		A int `yaml:"a" weft:"minimum=3"`
	}](config.RoleNamer, "x", config.Traits{}))
	assert.ErrorContains(t, err, `unknown option "minimum"`)
}
