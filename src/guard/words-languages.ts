/**
 * The words that matter most in other languages, in the same classes (FINAL: verbs that follow what they act on). Lower case, without the
 * diacritics of European letters. Scripts without spaces are read by the longest word that fits.
 */
export const LANGUAGES: Readonly<Record<string, string>> = Object.freeze({
  OVERRIDE: `ignoriere ignorieren ignorier ignorez ignorer ignora ignorar ignore ignoren ignorad ignorate ignorare negeer negeren zignoruj ignoruj ignorera bortse glem
    vergiss vergesst missachtet ignoriert missachte oubliez oublie olvida olvide olvidar esqueca esquecer dimentica vergeet zapomnij glom unohda unut gormezden desconsidere desconsidera descarta omite
    игнорируй игнорируйте игнорировать проигнорируй забудь забудьте игноруй ігноруй ігноруйте забудьте отмени
    忽略 忽视 无视 無視 忘记 忘掉 忘記 不要理会 不用理会 绕过 تجاهل تجاهلي تجاهلوا انس bo_qua abaikan lupakan`,
  FINAL: `ignorieren missachten negeren 無視して 無視し 無視しろ 忘れて 忘れろ 무시하고 무시하세요 무시해 무시하 잊어 잊으 अनदेखा नजरअंदाज भूल yoksay yoksayin unutun gormezden`,
  INSTRUCTION: `anweisungen anweisung instruktionen vorgaben befehle consignes instructions consigne directives instrucciones instruccion indicaciones ordenes instrucoes instrucao
    istruzioni istruzione direttive instructies instructie aanwijzingen opdrachten instrukcje instrukcji polecenia polecen instruktioner instruksjoner ohjeet talimat talimatlari talimatlar komutlari
    инструкции инструкций инструкцию указания указаний команды інструкції інструкцій вказівки
    指令 指示 命令 提示词 提示詞 说明 プロンプト 命令 지시 지시사항 명령 지침 프롬프트 निर्देश निर्देशों आदेश تعليمات التعليمات الأوامر اوامر التوجيهات chi_dan instruksi perintah`,
  RULE: 'regeln politique regles reglas politicas regras regole reguly zasady regels kurallar правила 规则 規則 规定 ルール 규칙 القواعد',
  PRIOR: `vorherigen vorherige bisherigen bisherige vorangegangenen obigen precedentes precedente anterieures ci-dessus anteriores anterior previas previos previo precedenti precedente
    vorige eerdere bovenstaande poprzednie poprzednich wczesniejsze tidigare foregaende onceki yukaridaki aiempia forrige
    предыдущие предыдущих предыдущую предшествующие прежние выше попередні попередніх
    之前 以前 先前 以上 上面 上述 此前 前面 以前の これまで 上記 今まで 이전 앞의 위의 지금까지 पिछले पिछली पूर्व السابقة السابق أعلاه sebelumnya truoc_do`,
  ALL: 'alle allen toutes tous todas todos tutte tutti wszystkie wszystkich alla tum butun все всех всі 所有 一切 任何 全部 すべて 全て 모든 모두 सभी جميع كل semua',
  YOUR: 'deine ihre votre vos tus sus suas tuas tue uw jouw twoje dina твои ваши 你的 您的 あなたの 당신의',
  AI: `ki agenten ia ai-agenten assistenten assistent assistente asistente sprachmodell ki l'assistant asystent asystenta yapay ассистент помощник ии асистент 助手 人工智能 智能助手 アシスタント 인공지능 어시스턴트 المساعد مساعد`,
  REVEAL: `zeige verrate gib offenbare revelez revele affichez affiche revela muestra mostre rivela mostra toon onthul ujawnij pokaz avsloja goster покажи раскрой выведи
    透露 显示 输出 泄露 告诉 公开 表示 教えて 公開 出力 보여 공개 출력 اكشف أظهر`,
  SYSTEM: 'systemprompt systeme sistema systemu systeem системный системную 系统 系統 システム 시스템 النظام',
  PROMPT: 'systemprompt prompt invite 提示 提示词 プロンプト 프롬프트 промпт',
  SEND: `sende schicke senden envoyez envoie envoyer envia envie enviar invia inviare stuur wyslij skicka gonder отправь отправьте отправить надішли надіслати
    发送 发给 上传 转发 送信 送って 転送 전송 보내 보내세요 أرسل ارسل भेजें भेजो kirim`,
  SECRET:
    'passwort passworter zugangsdaten mots-de-passe passe contrasena contrasenas credenciales senha senhas credenciais wachtwoord haslo hasla losenord sifre пароль пароли пароля 密码 密碼 密钥 凭证 パスワード 認証情報 비밀번호 كلمة_المرور पासवर्ड',
  PRIVATE: 'daten donnees datos dados dati gegevens dane данные 数据 資料 データ 데이터 البيانات डेटा',
  USER: "benutzer nutzer utilisateur l'utilisateur usuario utente gebruiker uzytkownik uzytkownika uzytkownikowi anvandaren kullanici kullaniciya пользователь пользователю пользователя користувач 用户 用戶 使用者 ユーザー 사용자 المستخدم उपयोगकर्ता",
  TELL: 'sage informiere erwahne dites informez mentionnez mentionner diga digas informes menciones informe mencione dire informare menzionare vertel mow informuj говори сообщай упоминай 告诉 提及 通知 透露 伝え 知らせ 알리 말하 تخبر',
  NOT: 'nicht niemals keine ne pas jamais nunca nao non niet nie inte не никогда 不要 不得 请勿 别 不 ないで 않 말고 마세요 لا नहीं',
  MESSAGE:
    'nachricht hinweis mitteilung nota mensaje aviso remarque messaggio avviso bericht opmerking wiadomosc uwaga meddelande mesaj сообщение внимание примечание 注意 消息 通知 メッセージ お知らせ 알림 메시지 رسالة ملاحظة',
  FOR: 'fur para pour per voor dla for icin для 给 に',
  TO: 'an a para pour per aan do till для 给',
  BEFORE: 'bevor antes avant prima voordat zanim innan прежде перед 前に',
  ANSWER:
    'antwortest antworten responder repondre rispondere antwoorden odpowiesz ответить отвечать 回答 回复 回答する 답변',
  DEVMODE:
    '开发者模式 维护模式 调试模式 开发模式 開発者モード メンテナンスモード 개발자모드 entwicklermodus wartungsmodus',
  NEW: 'neue neuen nouvelle nouvelles nueva nuevas nova novas nuova nuove nieuwe nowe nya yeni новая новые новую 新的 新 以下 新しい 次の 새로운 다음 جديدة التالية नए',
  TASK: 'aufgabe tache tarea tarefa compito taak zadanie uppgift gorev задача задание 任务 任務 タスク 작업 مهمة',
  NOW: 'jetzt ab-sofort desormais maintenant ahora agora adesso nu teraz simdi теперь сейчас отныне 现在 現在 今から これから 지금 الآن अब',
  YOU: 'du sie vous tu usted voce tu je ty ty sen ты вы 你 您 あなた 당신 너는 أنت आप',
  PLEASE: 'bitte veuillez por-favor prego alsjeblieft prosze пожалуйста 请 請 ください 주세요 من_فضلك कृपया',
  MUST: 'musst mussen sollst devez doit dois debes debe deve devi moet musisz maste должен должны 必须 必須 应该 しなければ 해야 يجب',
  REMEMBER: 'merke memorisez memorise recuerda lembre-se ricorda onthoud zapamietaj запомни 记住 覚えて 기억 تذكر',
  ALWAYS: 'immer toujours siempre sempre altijd zawsze alltid всегда 永远 总是 常に 항상 دائما',
  AUTHORITY:
    'administrateur administrador amministratore beheerder administratora администратор 管理员 管理者 관리자 المسؤول',
  COVERT:
    'heimlich discretement secretement secretamente segretamente stiekem potajemnie тайно 秘密 偷偷 こっそり 몰래 سرا',
  SECURITY: 'angriff angreifer attaque attaquant ataque atacante attacco атака 攻击 攻撃 공격 هجوم',
});
