/** Flags that every verb has. */
import type { ColorWhen } from './color.js';

export interface GlobalFlags {
  readonly json?: boolean;
  readonly progress?: 'auto' | 'tty' | 'plain' | 'ndjson' | 'none';
  readonly color?: ColorWhen;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly dataDir?: string;
}
