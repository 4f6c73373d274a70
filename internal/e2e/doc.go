// Package e2e holds acceptance tests: whole proxies, made of configuration files,
// with real callers and endpoints around them. Those in corpus_test.go run the
// binary on published configurations, as the users of Linkerd 1.x have them on
// disk; testdata holds these files unchanged, in the directories they expect.
package e2e
