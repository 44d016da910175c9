import { testOnManySeeds } from './many-seeds.js';

testOnManySeeds(0);
