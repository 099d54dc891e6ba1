import pdfmake from 'pdfmake';
import type { Statement } from '../../domain/statement.js';
import { statementDocument } from './document.js';
import { provideFonts } from './fonts.js';

interface FileSystem {
  writeFileSync(name: string, content: Buffer): void;
}

let isSetUp = false;

/** Makes the PDF of a statement. Takes 30 to 100 ms of processor time: call it in a thread of its own. */
export async function renderStatement(statement: Statement): Promise<Buffer> {
  if (!isSetUp) setUp();
  return pdfmake.createPdf(statementDocument(statement)).getBuffer() as Promise<Buffer>;
}

function setUp(): void {
  isSetUp = true;
  const { families, files } = provideFonts();
  const { virtualfs } = pdfmake as unknown as { virtualfs: FileSystem };
  for (const [name, content] of files) virtualfs.writeFileSync(name, content);
  pdfmake.setFonts(families);
  // A document has nothing of its own to fetch or to read.
  pdfmake.setUrlAccessPolicy(() => false);
  pdfmake.setLocalAccessPolicy(() => false);
}
