import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { environmentOf } from '../../../runtime/commands/environment.js';
import { Program } from '../../../runtime/commands/process.js';
import { isForManyOpen } from '../../../runtime/data/errors.js';

vi.mock('node:child_process', async (original) => {
  const real = await original<typeof import('node:child_process')>();
  return { ...real, spawn: vi.fn(real.spawn) };
});

const context = { count() {}, status() {} };

async function printed(program: Program): Promise<string[]> {
  const lines: string[] = [];
  for await (const some of program.lines()) lines.push(...some);
  return lines;
}

/** Not merely waiting to be reaped, either. */
function runs(pid: string): boolean {
  try {
    return !execFileSync('ps', ['-o', 'stat=', '-p', pid], { encoding: 'utf8' }).startsWith('Z');
  } catch {
    return false;
  }
}

describe('a program', () => {
  it('leaves nothing running when it ends', async () => {
    const command = 'sleep 7654 >/dev/null 2>&1 & echo $!';
    const [pid] = await printed(new Program({ command, role: 'mapper', environment: {}, context }));
    while (runs(pid!)) await new Promise((resolve) => setTimeout(resolve, 20));
  });

  it('is heard until all that it has started has closed its output', async () => {
    const command = '(sleep 0.3; echo later) & echo now';
    const program = new Program({ command, role: 'mapper', environment: {}, context });
    expect(await printed(program)).toEqual(['now', 'later']);
  });

  it('that cannot be started because too many files are open is not blamed for it', async () => {
    const error = Object.assign(new Error('spawn sh EMFILE'), { code: 'EMFILE', syscall: 'spawn sh' });
    vi.mocked(spawn).mockImplementationOnce(() => {
      const child = new EventEmitter() as ChildProcess;
      process.nextTick(() => child.emit('error', error));
      return child;
    });
    const program = new Program({ command: 'cat', role: 'mapper', environment: {}, context });
    program.feed(['a\n']);
    const failure = await printed(program).catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({ name: 'DiskError', place: 'the mapper (cat)' });
    expect(isForManyOpen(failure)).toBe(true);
  });

  it('may read only the beginning of what it is given', async () => {
    const program = new Program({ command: 'head -n 1', role: 'combiner', environment: {}, context });
    program.feed(['line\n'.repeat(200_000)]);
    expect(await printed(program)).toEqual(['line']);
  });

  it('may complain without end in one line, and is heard after that', async () => {
    const counted: unknown[] = [];
    const counting = { ...context, count: (name: string, by?: number) => counted.push([name, by]) };
    const command =
      'head -c 300000 /dev/zero | tr "\\0" x >&2; echo >&2; echo reporter:counter:g,n,7 >&2; exit 3';
    const program = new Program({ command, role: 'mapper', environment: {}, context: counting as never });
    await expect(printed(program)).rejects.toThrow(/^the mapper \(.*\) ended with exit code 3: x{300}$/);
    expect(counted).toEqual([['g: n', 7]]);
  });

  it('failed for what it complained of last, whatever blank lines it prints after that', async () => {
    const command = 'echo so >&2; echo " " >&2; echo >&2; exit 3';
    const program = new Program({ command, role: 'mapper', environment: {}, context });
    await expect(printed(program)).rejects.toThrow(/ended with exit code 3: so$/);
  });

  it('is heard also where what it has started counts after the end of its output', async () => {
    const counted: unknown[] = [];
    const counting = { ...context, count: (name: string, by?: number) => counted.push([name, by]) };
    const command = '(exec >&-; sleep 0.1; echo reporter:counter:g,n,7 >&2) & echo out';
    const program = new Program({ command, role: 'mapper', environment: {}, context: counting as never });
    expect(await printed(program)).toEqual(['out']);
    expect(counted).toEqual([['g: n', 7]]);
  });

  it('is not waited for where what it has started only keeps the place for complaints open', async () => {
    const command = '(exec >&-; sleep 7653) & echo out';
    const program = new Program({ command, role: 'mapper', environment: {}, context });
    expect(await printed(program)).toEqual(['out']);
  });

  it('that counts what cannot be counted fails by it, and not whoever listens', async () => {
    const count = (): void => {
      throw new TypeError('ctx.count: no');
    };
    const command = 'echo reporter:counter:g,n,1 >&2; echo out; sleep 100';
    const program = new Program({ command, role: 'mapper', environment: {}, context: { ...context, count } });
    await expect(printed(program)).rejects.toThrow(`the mapper (${command}) counted what cannot be: no`);
  });

  it('that is ended for what it counts ends so too where most of what it is given was never read', async () => {
    const count = (): void => {
      throw new TypeError('ctx.count: no');
    };
    const command = 'echo reporter:counter:g,n,1 >&2; sleep 100';
    const program = new Program({ command, role: 'mapper', environment: {}, context: { ...context, count } });
    program.feed(Array.from({ length: 100 }, () => 'line\n'.repeat(20_000)));
    await expect(printed(program)).rejects.toThrow(`the mapper (${command}) counted what cannot be: no`);
  });

  it('is told its inputs only where their names are no more than a variable can hold', () => {
    const names = Array.from(
      { length: 2500 },
      (_, n) => `a/rather/long/folder/in/which/many/inputs/lie/${n}`,
    );
    expect(environmentOf({ task: 'map-0', params: {} }, names)).not.toHaveProperty('REHEARSE_INPUT');
    expect(environmentOf({ task: 'map-0', params: {} }, names.slice(0, 2))).toHaveProperty(
      'REHEARSE_INPUT',
      `${names[0]}\n${names[1]}`,
    );
    expect(
      execFileSync('true', { env: { ...environmentOf({ task: 'map-0', params: {} }, names) } }).length,
    ).toBe(0);
  });
});
