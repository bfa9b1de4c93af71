/** Files of a drop, those in folders too. */

/** What the worker reads: a folder may hold anything. */
const READ = /\.(pdf|png|jpe?g|tiff?|bmp|gif|webp|p[bgnp]m)$/i;

/** Entries have to be asked for while the drop is handled: later there are none. */
export async function droppedFiles(transfer: DataTransfer): Promise<File[]> {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry());
  if (!entries.some((entry) => entry)) return [...transfer.files];
  const found = await Promise.all(entries.map((entry) => (entry ? filesOf(entry) : [])));
  return found.flat();
}

/** Those of a folder that can be read, in the order of their names. */
export function readable(files: readonly File[]): File[] {
  return files.filter(({ name }) => isRead(name)).sort((one, other) => byName(one.webkitRelativePath, other.webkitRelativePath));
}

async function filesOf(entry: FileSystemEntry): Promise<File[]> {
  if (!entry.isDirectory) return [await fileOf(entry as FileSystemFileEntry)];
  const within = (await entriesOf(entry as FileSystemDirectoryEntry)).filter(({ name, isDirectory }) => isDirectory || isRead(name));
  within.sort((one, other) => byName(one.name, other.name));
  const files: File[] = [];
  for (const one of within) files.push(...(await filesOf(one)));
  return files;
}

async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const found: FileSystemEntry[] = [];
  for (;;) {
    // A browser gives a hundred at a time.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return found;
    found.push(...some);
  }
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

function isRead(name: string): boolean {
  return READ.test(name) && !name.startsWith('.');
}

const { compare: byName } = new Intl.Collator('en', { numeric: true });
