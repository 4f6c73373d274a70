// The script of pages that have none of their own.
import "../lib/page.ts";
