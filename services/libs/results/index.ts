export { type BillDays, readBillLines, readSliceBillLines, readTitles } from './bill-lines.js';
export { type Books, readBooks, readOpenedOn, readVersion, settledDays } from './books.js';
export { type RankedVideo, readTop, readTopState, type TopLists, type TopState } from './top-lists.js';
