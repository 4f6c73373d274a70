package rolloutcmd

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
)

// confirm asks whether to go on. Where nobody can be asked, --yes must be given.
func confirm(ctx context.Context, in io.Reader, out io.Writer) error {
	f, ok := in.(*os.File)
	if ok {
		info, err := f.Stat()
		ok = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	if !ok {
		return usagef("nothing was changed: there is no terminal to ask for confirmation; give --yes")
	}
	fmt.Fprint(out, "Carry it out? [y/N] ")
	answers := make(chan string, 1)
	go func() { // it ends with the line, or with the process if there is none
		line, err := bufio.NewReader(in).ReadString('\n')
		if err != nil {
			line = ""
		}
		answers <- line
	}()
	select {
	case line := <-answers:
		switch strings.ToLower(strings.TrimSpace(line)) {
		case "y", "yes":
			return nil
		}
	case <-ctx.Done():
	}
	return usagef("nothing was changed")
}
