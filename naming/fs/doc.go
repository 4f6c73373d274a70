// Package fs is the namer io.l5d.fs, whose names are the files below a directory
// and whose endpoints are the lines of a file. It also watches the file that
// holds the dtab of the interpreter of the same name.
//
//	name, under the prefix  in the directory       answer
//	/web                    a file web             bound, id <prefix>/web
//	/web/r…                 a file web             the same, residual /r…
//	/eu/web                 a directory eu with it bound, id <prefix>/eu/web
//	/eu                     a directory eu         Neg
//	/other                  nothing                Neg
//
// A file has one endpoint per line:
//
//	# anything after a hash is a comment
//	10.0.0.1 8080
//	10.0.0.2 8080 * 0.5       with a weight; 0 takes no traffic
//	users.internal 8080       a host name is resolved again and again
//
// An empty file is a name without endpoints. A line that cannot be read is
// reported and left out; if that leaves none, the last good content stays in
// force. A file has at most 512000 bytes.
//
// # Changes
//
// Directories are watched from the first look-up that leads into them until
// Close. What changes on disk is in force some 10 ms later. Files that are
// replaced by renaming (also by swapping a symbolic link, as Kubernetes does with
// config maps) change in one step. A file that is written in place is seen half
// written, and none of that must reach a request. On Linux a file that somebody
// has open for writing is left alone, for up to 20 times the patience. Apart from
// that, content that looks unfinished (empty, no line feed at its end, the
// beginning of what was there before, unreadable lines), a file that is gone and
// a directory that is gone have to stay as they are for [Options].Patience to be
// believed.
//
// A directory that cannot be read any more keeps its names and endpoints, marked
// stale, until it is back.
package fs
