/**
 * A run as a request of the OpenTelemetry protocol: `ExportTraceServiceRequest` in its JSON form, as `POST /v1/traces` takes it.
 * Ids are hex, 64-bit numbers decimal texts, enumerations integers; whatever is absent has its default.
 *
 * Each job is a trace, its span the root, with a span below it for each attempt, in the resource of the node that ran it. Ids
 * are hashes of the run and of what they name: exported again, a run has the same ones.
 */
import { stateDigest } from '../../core/canonical.js';
import { attemptKey, type JobId, lifeName, type NodeId } from '../../core/ids.js';
import { nameOf } from '../explain/attempts.js';
import { type MergedStep, type NodeTrace, startOf } from '../explain/merge.js';
import type { Fact } from '../scenario/facts.js';
import type { AttemptSpan } from './attempt-spans.js';
import { grouped } from './grouped.js';
import { type JobTale, jobTales } from './job-tales.js';
import {
  attributesOf,
  jsonOf,
  kinds,
  type SpanLink,
  type SpanParts,
  spanForm,
  statuses,
} from './otlp-form.js';
import { type RunView, viewRun } from './run-view.js';

export function* exportOtlp(traces: readonly NodeTrace[], merged: readonly MergedStep[]): Generator<string> {
  yield* new Telemetry(traces, viewRun(merged)).texts();
}

/** A real life is known by when it began; a simulated one begins as any of its seed does, and is known by its steps. */
function identityOf({ header: { driver, seed, setup, originUs }, lines }: NodeTrace): string {
  return JSON.stringify([driver, seed, lifeName(setup.life), originUs ?? lines.at(-1)?.chain]);
}

/** Where a simulated run begins, 2000-01-01T00:00:00Z: many programs take no spans of 1970. */
const simulatedZeroUs = 946_684_800_000_000;

class Telemetry {
  readonly #run: RunView;
  readonly #traces: readonly NodeTrace[];
  readonly #identity: string;
  readonly #zeroUs: number;
  readonly #jobs: readonly JobTale[];
  readonly #lastUs: number;
  readonly #ofAttempts: ReadonlyMap<string | undefined, readonly Fact[]>;

  constructor(traces: readonly NodeTrace[], run: RunView) {
    this.#run = run;
    this.#traces = traces;
    this.#identity = stateDigest(traces.map(identityOf).sort());
    this.#zeroUs = traces[0]!.header.driver === 'simulator' ? simulatedZeroUs : startOf(traces);
    this.#lastUs = run.steps.reduce((last, { atUs }) => Math.max(last, atUs), 0);
    const told = jobTales(run.steps);
    const known = new Set(told.map(({ job }) => job));
    const others = new Set(
      [...run.spans.values()].map(({ story }) => story.job).filter((job) => !known.has(job)),
    );
    this.#jobs = [
      ...told,
      ...[...others].map((job) => ({ job, outcome: 'no end is recorded', counters: [] })),
    ];
    this.#ofAttempts = grouped(run.facts.flat(), ({ attempt }) => attempt && attemptKey(attempt));
  }

  /** The document, a span a line. */
  *texts(): Generator<string> {
    const spansOf = grouped([...this.#jobSpans(), ...this.#attemptSpans()], ([node]) => node);
    yield '{"resourceSpans":[';
    let separator = '\n';
    for (const [node, spans] of spansOf) {
      yield `${separator}{"resource":${jsonOf(this.#resourceOf(node))},"scopeSpans":[{"scope":{"name":"rehearse"},"spans":[\n`;
      for (const [index, [, parts]] of spans.entries())
        yield `${index === 0 ? '' : ',\n'}${jsonOf(spanForm(parts, this.#zeroUs))}`;
      yield '\n]}]}';
      separator = ',\n';
    }
    yield '\n]}\n';
  }

  #resourceOf(node: NodeId): object {
    const { driver, seed, versions } = (
      this.#traces.find(({ header }) => header.setup.life.node === node) ?? this.#traces[0]!
    ).header;
    return {
      attributes: attributesOf({
        'service.name': 'rehearse',
        'service.version': versions.rehearse,
        'service.instance.id': node,
        'rehearse.driver': driver,
        'rehearse.seed': seed,
      }),
    };
  }

  *#jobSpans(): Generator<[NodeId, SpanParts]> {
    const facts = this.#ofAttempts.get(undefined) ?? [];
    for (const [index, tale] of this.#jobs.entries()) {
      const { job, name, maps, reduces, outcome, counters } = tale;
      const { startUs, endUs } = this.#timesOf(tale);
      // What befell the cluster is told with the job that began last before it.
      const untilUs = this.#jobs[index + 1]?.beganUs ?? Number.POSITIVE_INFINITY;
      const fromUs = index === 0 ? Number.NEGATIVE_INFINITY : startUs;
      const own = facts.filter((fact) =>
        fact.job === undefined ? fact.atUs >= fromUs && fact.atUs < untilUs : fact.job === job,
      );
      const accepted = facts.find((fact) => fact.name === 'job-accepted' && fact.job === job);
      const master =
        accepted?.node ?? this.#run.nodes.find((node) => node.startsWith('master-')) ?? this.#run.nodes[0]!;
      const failed = outcome.startsWith('failed');
      const counted = Object.fromEntries(counters.map(([key, value]) => [`rehearse.counter.${key}`, value]));
      yield [
        master,
        {
          traceId: this.#traceId(job),
          spanId: this.#jobSpanId(job),
          name: `job ${name ?? job}`,
          kind: kinds.server,
          startUs,
          endUs,
          facts: own,
          attributes: attributesOf({
            'rehearse.job': job,
            'rehearse.maps': maps,
            'rehearse.reduces': reduces,
            'rehearse.outcome': outcome,
            ...counted,
          }),
          status: failed
            ? { code: statuses.error, message: outcome }
            : { code: outcome === 'published' ? statuses.ok : statuses.unset },
        },
      ];
    }
  }

  #timesOf({ job, beganUs, endedUs }: JobTale): { startUs: number; endUs: number } {
    const starts = [...this.#run.spans.values()]
      .filter(({ story }) => story.job === job)
      .map((span) => span.startUs);
    const startUs = beganUs ?? starts.reduce((first, us) => Math.min(first, us), starts[0] ?? 0);
    return { startUs, endUs: Math.max(startUs, endedUs ?? this.#lastUs) };
  }

  *#attemptSpans(): Generator<[NodeId, SpanParts]> {
    const committed = new Map<string, string>();
    for (const [key, { story }] of this.#run.spans)
      if (story.outcome === 'committed') committed.set(`${story.job} ${story.task}`, key);
    const before = new Map<string, string>();
    for (const [key, span] of this.#run.spans) {
      const { job, task, outcome } = span.story;
      const name = `${job} ${task}`;
      const winner = outcome === 'refused' ? committed.get(name) : undefined;
      const links = [
        ...this.#linkTo(job, before.get(name), 'the attempt before'),
        ...this.#linkTo(job, winner, 'committed instead'),
      ];
      before.set(name, key);
      yield [span.node, this.#attemptSpan(key, span, links)];
    }
  }

  #attemptSpan(
    key: string,
    { story, startUs, endUs, life, isEnded }: AttemptSpan,
    links: readonly SpanLink[],
  ): SpanParts {
    const { job, task, ordinal, outcome, moments } = story;
    const why = moments.at(-1)?.text;
    const isError = outcome === 'failed' || outcome === 'lost';
    return {
      traceId: this.#traceId(job),
      spanId: this.#attemptSpanId(key),
      parentSpanId: this.#jobSpanId(job),
      name: nameOf(story),
      kind: kinds.consumer,
      startUs,
      endUs,
      facts: this.#ofAttempts.get(key) ?? [],
      attributes: attributesOf({
        'rehearse.job': job,
        'rehearse.task': task,
        'rehearse.attempt': ordinal,
        'rehearse.outcome': outcome,
        'rehearse.worker': story.worker,
        'rehearse.life': life?.incarnation,
        'rehearse.begin_recorded': life !== undefined,
        'rehearse.end_recorded': isEnded,
        'rehearse.why_begun': moments[0]?.text,
        'rehearse.why_ended': why,
      }),
      ...(links.length > 0 ? { links } : {}),
      status: isError
        ? { code: statuses.error, ...(why === undefined ? {} : { message: why }) }
        : { code: outcome === 'committed' ? statuses.ok : statuses.unset },
    };
  }

  #linkTo(job: JobId, key: string | undefined, relation: string): SpanLink[] {
    if (key === undefined) return [];
    const attributes = attributesOf({ 'rehearse.relation': relation });
    return [{ traceId: this.#traceId(job), spanId: this.#attemptSpanId(key), attributes }];
  }

  /** 16 bytes. */
  #traceId(job: JobId): string {
    return (
      stateDigest([this.#identity, 'trace', job]) + stateDigest([this.#identity, 'trace, second half', job])
    );
  }

  /** 8 bytes. */
  #jobSpanId(job: JobId): string {
    return stateDigest([this.#identity, 'job', job]);
  }

  #attemptSpanId(key: string): string {
    return stateDigest([this.#identity, 'attempt', key]);
  }
}
