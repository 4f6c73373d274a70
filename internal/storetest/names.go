package storetest

import (
	"crypto/rand"
	"slices"
	"strings"
)

// group is the common beginning of the namespaces of one test, which no other test has.
type group string

func newGroup() group { return group("t" + strings.ToLower(rand.Text())[:12]) }

// name returns a namespace of the group.
func (g group) name(suffix string) string { return string(g) + "-" + suffix }

// of returns those of a list that are of the group.
func (g group) of(list []string) []string {
	mine := []string{}
	for _, ns := range list {
		if strings.HasPrefix(ns, string(g)) {
			mine = append(mine, ns)
		}
	}
	return slices.Clip(mine)
}

func newNamespace() string { return newGroup().name("a") }
