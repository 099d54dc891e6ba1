import { PartitionDirectory } from '../../../services/batch/usecases/partition-directory.js';

describe('where partition actors live', () => {
  test('is asked once while the members stay the same, and again when one restarts', async () => {
    let asked = 0;
    const directory = new PartitionDirectory(async (id) => {
      asked += 1;
      return Number(id.split('-')[1]) % 2 === 0 ? 'a' : 'b';
    }, 8);
    await directory.refresh(['a@1', 'b@1']);
    await directory.refresh(['a@1', 'b@1']);
    expect(asked).toBe(8);
    await directory.refresh(['a@2', 'b@1']);
    expect(asked).toBe(16);
  });

  test('is asked again until every member is known to host an actor', async () => {
    let bIsUp = false;
    const directory = new PartitionDirectory(async (id) => (bIsUp && id === 'partition-1' ? 'b' : 'a'), 4);
    await directory.refresh(['a@1', 'b@1']);
    expect(directory.idOn('b', 0)).toBeUndefined();
    bIsUp = true;
    await directory.refresh(['a@1', 'b@1']);
    expect(directory.idOn('b', 0)).toBe('partition-1');
  });
});
