// Package archtest checks that the packages of the module import each other only
// as the floor table in ARCHITECTURE.md allows. It has tests only.
package archtest
