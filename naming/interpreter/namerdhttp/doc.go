// Package namerdhttp is the interpreter io.l5d.namerd.http: it asks a namerd in
// HTTP/1.1, with one stream of JSON per question, for the trees that names are
// bound to and the endpoints of the ids in them, and for explanations.
package namerdhttp
