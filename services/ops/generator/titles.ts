import { mix } from './random.js';

interface Language {
  readonly openings: readonly string[];
  readonly subjects: readonly string[];
  readonly episode: (number: number) => string;
}

const KOREAN: Language = {
  openings: ['오늘의', '혼자 떠나는', '처음 만드는', '새벽의', '우리 동네', '느린', '엄마의', '주말'],
  subjects: [
    '제주도 여행',
    '김치찌개',
    '고양이 브이로그',
    '한강 자전거',
    '기타 연주',
    '캠핑 일기',
    '시장 구경',
    '집 정리',
  ],
  episode: (number) => `${number}화`,
};

const JAPANESE: Language = {
  openings: ['はじめての', '深夜の', '静かな', '京都で', '雨の日の', 'ひとり', '週末の', '懐かしい'],
  subjects: [
    'ラーメン作り',
    '温泉めぐり',
    '猫カフェ',
    '鉄道の旅',
    'ギター練習',
    '弁当レシピ',
    '古本屋さがし',
    '商店街散歩',
  ],
  episode: (number) => `第${number}話`,
};

const LATIN: Language = {
  openings: ['Making', 'A quiet', 'Learning', 'Après', 'El último', 'Über', 'Seoul:', 'Weekend'],
  subjects: [
    'sourdough',
    'café crème',
    'bike touring',
    'piano étude',
    'night market',
    'señor gato',
    'Brücken',
    'gardening',
  ],
  episode: (number) => `#${number}`,
};

const EMOJI = ['🎬', '🍜', '🐈', '🎸', '🌧️', '🚲', '👩‍🍳', '🏕️'];

/** Of ten videos: five Korean, two Japanese, three Latin. */
const LANGUAGES = [KOREAN, KOREAN, KOREAN, KOREAN, KOREAN, JAPANESE, JAPANESE, LATIN, LATIN, LATIN];
const TITLE_SALT = 0x71717e5;

/** The title of a generated video; fixed for its id. One in eight has an emoji. */
export function titleOf(videoId: number): string {
  const bits = mix(TITLE_SALT, videoId);
  const { openings, subjects, episode } = LANGUAGES[bits % LANGUAGES.length]!;
  const title = `${openings[(bits >>> 8) % openings.length]} ${subjects[(bits >>> 12) % subjects.length]} ${episode(videoId)}`;
  return (bits >>> 16) % 8 === 0 ? `${title} ${EMOJI[(bits >>> 20) % EMOJI.length]}` : title;
}
