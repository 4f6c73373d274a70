// Requests whose refusals say where the fault is.

import { url } from "./net.ts";

/** Fault is an answer that is none of the wanted ones: the server's words, and the place if there is one. */
export class Fault extends Error {
  readonly status: number;
  /** field is the member of the question that it is about. */
  readonly field: string;
  readonly line: number;
  readonly column: number;
  readonly offset: number;
  /** body is all that was answered. */
  readonly body: Record<string, unknown>;

  constructor(status: number, body: Record<string, unknown>) {
    super(typeof body.error === "string" ? body.error : `status ${status}`);
    this.status = status;
    this.body = body;
    this.field = typeof body.field === "string" ? body.field : "";
    this.line = Number(body.line ?? 0);
    this.column = Number(body.column ?? 0);
    this.offset = Number(body.offset ?? 0);
  }
}

/** ask sends a question as JSON, and throws a Fault unless the status is 2xx. */
export async function ask<T>(path: string, question?: unknown, signal?: AbortSignal): Promise<T> {
  const init: RequestInit = { headers: { Accept: "application/json" } };
  if (question !== undefined) {
    init.method = "POST";
    init.headers = { Accept: "application/json", "Content-Type": "application/json" };
    init.body = JSON.stringify(question);
  }
  if (signal) init.signal = signal;
  const rep = await fetch(url(path), init);
  if (rep.ok) return rep.json() as Promise<T>;
  const text = await rep.text();
  let body: Record<string, unknown> = { error: text.trim() || `${path}: status ${rep.status}` };
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === "object" && parsed) body = parsed as Record<string, unknown>;
  } catch { /* it was text */ }
  throw new Fault(rep.status, body);
}

/** words are those of whatever was thrown. */
export function words(err: unknown): string {
  return err instanceof Error ? err.message : String(err);
}

/** aborted says that nobody waits for the answer any more. */
export function aborted(err: unknown): boolean {
  return err instanceof DOMException && err.name === "AbortError";
}
