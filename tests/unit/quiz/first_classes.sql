BEGIN TRANSACTION;
CREATE TABLE quiz_attempts (
	number INTEGER NOT NULL, 
	recorded_at DATETIME NOT NULL, 
	run TEXT NOT NULL, 
	item_id TEXT NOT NULL, 
	item_version INTEGER NOT NULL, 
	answer TEXT NOT NULL, 
	correct BOOLEAN NOT NULL, 
	credit FLOAT NOT NULL, 
	first_try BOOLEAN NOT NULL, 
	hints INTEGER NOT NULL, 
	confidence INTEGER, 
	milliseconds BIGINT, 
	parameters TEXT, 
	PRIMARY KEY (number), 
	UNIQUE (run, item_id)
);
INSERT INTO "quiz_attempts" VALUES(1,'2026-11-30 19:00:12.496845','TRxrpJhoxXP-dn2D','gru-anatomy-001',1,'["a"]',1,1.0,1,0,NULL,NULL,NULL);
CREATE TABLE quiz_class_items (
	code TEXT NOT NULL, 
	position INTEGER NOT NULL, 
	item_id TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	parameters TEXT NOT NULL, 
	PRIMARY KEY (code, position)
);
INSERT INTO "quiz_class_items" VALUES('FCJKBNF8',1,'gru-anatomy-001',1,'{}');
INSERT INTO "quiz_class_items" VALUES('FCJKBNF8',2,'gru-update-003',2,'{"pre": {"z": 0.75, "h": -0.7, "n": -0.2}, "post": {"z": 0.4, "h": -0.9, "n": -0.2}}');
CREATE TABLE quiz_class_runs (
	run TEXT NOT NULL, 
	code TEXT NOT NULL, 
	nickname TEXT NOT NULL, 
	attempt_number INTEGER NOT NULL, 
	phase TEXT NOT NULL, 
	started_at DATETIME NOT NULL, 
	PRIMARY KEY (run), 
	UNIQUE (code, phase, nickname, attempt_number)
);
INSERT INTO "quiz_class_runs" VALUES('2wanTcg7JvkJ2g4-','FCJKBNF8','Ada L',1,'pre','2026-11-30 19:00:12.467285');
INSERT INTO "quiz_class_runs" VALUES('TRxrpJhoxXP-dn2D','FCJKBNF8','ADA L',2,'pre','2026-11-30 19:00:12.477606');
INSERT INTO "quiz_class_runs" VALUES('5IRPqe71OM7NE8-A','FCJKBNF8','Ada L',1,'post','2026-11-30 19:00:12.489343');
CREATE TABLE quiz_classes (
	code TEXT NOT NULL, 
	created_at DATETIME NOT NULL, 
	title TEXT NOT NULL, 
	bank_hash TEXT NOT NULL, 
	draw TEXT NOT NULL, 
	item_count INTEGER NOT NULL, 
	"order" TEXT NOT NULL, 
	pre_post BOOLEAN NOT NULL, 
	attempts_allowed INTEGER NOT NULL, 
	deadline DATETIME, 
	feedback TEXT NOT NULL, 
	retention_days INTEGER NOT NULL, 
	token_hash TEXT NOT NULL, 
	PRIMARY KEY (code)
);
INSERT INTO "quiz_classes" VALUES('FCJKBNF8','2026-11-30 19:00:12.365623','Week 3','071dbfa40f7a2128','fixed',2,'listed',1,2,NULL,'at once',180,'f748f87bbe5432901de92c38be961640db1697da263f505125971bae8aae3e8f');
CREATE TABLE quiz_feedback (
	number INTEGER NOT NULL, 
	recorded_at DATETIME NOT NULL, 
	run TEXT, 
	clear BOOLEAN, 
	text TEXT NOT NULL, 
	PRIMARY KEY (number)
);
COMMIT;
