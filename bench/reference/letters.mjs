// Writes letters.h: a bitmap of the Unicode letters (\p{L} of this Node), one bit per code point, for wcs.c and wcf.cpp.
import { writeFileSync } from 'node:fs';

const bits = new Uint8Array(0x110000 >> 3);
for (let cp = 0; cp < 0x110000; cp++)
  if (/\p{L}/u.test(String.fromCodePoint(cp))) bits[cp >> 3] |= 1 << (cp & 7);
writeFileSync('letters.h', `static const unsigned char LET[${bits.length}]={${bits.join(',')}};`);
