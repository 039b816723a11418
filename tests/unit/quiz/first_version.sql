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
	PRIMARY KEY (number), 
	UNIQUE (run, item_id)
);
INSERT INTO "quiz_attempts" VALUES(1,'2026-11-29 19:11:55.696114','first run','gru-anatomy-001',1,'["t2me"]',1,0.75,1,1,90,8500);
INSERT INTO "quiz_attempts" VALUES(2,'2026-11-29 19:11:55.788335','first run','gru-placement-006',1,'["t3ei", "p4sf"]',0,0.0,1,0,NULL,21000);
INSERT INTO "quiz_attempts" VALUES(3,'2026-11-29 19:11:55.799772','first run','gru-update-003',1,'["\u22120,1"]',1,1.0,0,0,60,NULL);
CREATE TABLE quiz_feedback (
	number INTEGER NOT NULL, 
	recorded_at DATETIME NOT NULL, 
	run TEXT, 
	clear BOOLEAN, 
	text TEXT NOT NULL, 
	PRIMARY KEY (number)
);
INSERT INTO "quiz_feedback" VALUES(1,'2026-11-29 19:11:55.815383','first run',1,'Why −0.1?');
COMMIT;
